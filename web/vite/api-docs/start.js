// The server's own document, on the same origin; the content policy allows no inline script.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true });
