import { memoryStore } from '../../src/stores/memory.ts';
import { storeContract } from '../contracts/store.contract.ts';

storeContract('memory', async () => {
  const store = memoryStore();
  return {
    store,
    hide: async (key) => store.hide(key),
    lock: async (key, until) => store.lock(key, until),
    setLifecycle: async (rules) => store.setLifecycle(rules),
    leaveUpload: async (key) => store.leaveUpload(key, new Date()),
  };
});
