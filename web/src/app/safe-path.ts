/** A path of this app, for going on after sign-in; anything that could lead elsewhere becomes the start page. */
export function safePath(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])/.test(path) ? path : "/";
}
