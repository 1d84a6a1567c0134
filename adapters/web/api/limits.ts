/** The largest request body, in bytes: the longest message in the longest encoding. */
export const MAX_BODY = 700_000;

/** The largest request body with images, in bytes. Images are in base64, beside the text. */
export const MAX_BODY_WITH_IMAGES = 9_000_000;

/** How much is read at once for one user, in bytes: two of the largest messages, from two devices. */
export const MAX_READING_PER_USER = 2 * MAX_BODY_WITH_IMAGES;

/** The largest body of a sign-in, which holds a name or a key, in bytes. */
export const MAX_SIGN_IN_BODY = 4_096;

/** How much is read at once from clients at one address that are not signed in, in bytes. */
export const MAX_READING_PER_ADDRESS = 16 * MAX_SIGN_IN_BODY;
