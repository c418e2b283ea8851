/** Codes by which OpenSSL and Node name a certificate that nobody vouches for, or that is for another name. */
export const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/;
