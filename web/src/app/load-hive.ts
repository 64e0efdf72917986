/** Loads the app for people who are signed in: much the largest part, which nobody waits for on the way in. */
export const loadHive = () => import("./hive");
