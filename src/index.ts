/** What the bundle offers; each file of `dist/` besides it is one call of one of these. */
export { cli } from './cli.ts';
export { main } from './main.ts';
export { post } from './post.ts';
