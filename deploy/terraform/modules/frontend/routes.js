// The client shows these addresses by itself, so each gets its page: as `routes` of scripts/web-static.mjs, which a test
// compares. All else is what it is, or missing.
var exact = ["/rooms", "/browse", "/settings", "/signin", "/signup"];
var below = ["/rooms/", "/invite/", "/settings/"];

function handler(event) {
  var request = event.request;
  var uri = request.uri;
  var isBelow = function (prefix) {
    return uri.indexOf(prefix) === 0;
  };
  if (exact.indexOf(uri) >= 0 || below.some(isBelow)) {
    request.uri = "/index.html";
  }
  return request;
}
