/** How a verdict relates to the one before it, of the same action and sources. */
export type Change = 'broke' | 'still-broken' | 'recovered' | 'still-well';
