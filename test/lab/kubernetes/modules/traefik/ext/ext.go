// Package ext is where Traefik's dynamic configuration can be extended. Traefik's module replaces it by a folder of its
// own that the module's archive leaves out, being a module itself; without extensions it is these two empty types.
package ext

// HTTP extends the HTTP configuration.
type HTTP struct{}

// Router extends a router.
type Router struct{}
