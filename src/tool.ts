// Generated from package.json by scripts/generate.ts.
export const tool = { name: 'lifeboat', version: '1.0.0' } as const;
