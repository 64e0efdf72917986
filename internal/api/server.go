package api

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/api/peer"
	"github.com/blabber-hive/blabber-hive/internal/api/site"
	"github.com/blabber-hive/blabber-hive/internal/api/strictjson"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/presence"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

const (
	basePath       = "/api/v1"
	socketPath     = "/ws"
	openAPIPath    = "/openapi.json"
	docsPath       = "/docs"
	requestPatient = 30 * time.Second // how long a request may take
	bodyPatience   = 15 * time.Second // how long its body may take to arrive
)

// Options is what the edge is made of. WebSocket and Web may be nil.
type Options struct {
	Accounts *account.Service
	Rooms    *room.Service
	History  *history.Service
	Presence *presence.Service
	Messages *message.Service
	Moods    *mood.Timeline // nil where this server reads no moods
	Limiter  account.Limiter

	WebSocket http.Handler // serves /ws, behind nothing of this package
	Web       fs.FS        // the built web client, index.html at its root

	// Supabase is the project that signs people in; nil: accounts are of this server.
	Supabase *Supabase

	// PublicOrigins are the addresses under which people reach this server, like https://chat.example.com, the first of
	// which invites are written with, and those of other sites that may call it. With none, a browser may call from the
	// host it asked for.
	PublicOrigins  []string
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed

	Version       string
	Reads, Writes account.Rate // requests of one person, or without a token of one address; DefaultReads and DefaultWrites suit most

	Clock    func() time.Time
	NewID    func() [16]byte
	Log      *slog.Logger
	Registry prometheus.Registerer
	Tracer   *obs.Tracer // nil where nothing is traced
}

// Supabase is what a web client needs to sign in through a project: its origin, and the key that anybody may have.
type Supabase struct{ URL, AnonKey string }

// DefaultReads bounds how often one person may ask.
func DefaultReads() account.Rate { return account.Rate{PerSecond: 100, Burst: 1000} }

// DefaultWrites bounds how often one person may change something; sending has a bound of its own below this.
func DefaultWrites() account.Rate { return account.Rate{PerSecond: 50, Burst: 500} }

// Server is the HTTP edge.
type Server struct {
	Options
	origins peer.Origins
	proxies peer.Proxies
	metrics *metrics
	site    *site.Site
	page    map[string][]string // headers of what is no data; nobody may change them in place
	engine  *gin.Engine
	openAPI []byte
	routes  *huma.OpenAPI
}

// New makes the edge. It fails where an origin or a file of the web client is not one.
func New(options Options) (*Server, error) {
	origins, err := peer.NewOrigins(options.PublicOrigins)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	files, err := site.New(options.Web)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	s := &Server{Options: options, origins: origins, proxies: options.TrustedProxies, metrics: newMetrics(options.Registry), site: files, page: pageAnswer(options.Supabase)}

	gin.SetMode(gin.ReleaseMode) // it would print to the terminal otherwise
	s.engine = gin.New()
	s.engine.HandleMethodNotAllowed = true
	s.engine.RedirectTrailingSlash = false
	s.engine.ForwardedByClientIP = false
	if err := s.engine.SetTrustedProxies(nil); err != nil {
		return nil, fmt.Errorf("api: trust no proxy: %w", err)
	}
	s.engine.Use(s.observe, s.harden, s.checkOrigin, s.checkQuery)
	s.engine.NoRoute(s.serveOther)
	s.engine.NoMethod(s.wrongMethod)

	s.routes = s.register()
	if s.openAPI, err = json.Marshal(s.routes); err != nil {
		return nil, fmt.Errorf("api: describe the routes: %w", err)
	}
	s.engine.GET(openAPIPath, s.serveOpenAPI)
	return s, nil
}

// ServeHTTP answers everything.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == socketPath && s.WebSocket != nil {
		s.WebSocket.ServeHTTP(w, r)
		return
	}
	s.engine.ServeHTTP(w, r)
}

// serveOther answers for everything that is no route: files of the web client, its own addresses, and nothing.
func (s *Server) serveOther(c *gin.Context) {
	address := c.Request.URL.Path
	if isAPI(address) {
		s.refuse(c, chat.ErrNotFound)
		return
	}
	file := s.site.Find(address)
	switch {
	case address == docsPath && s.site.Find(docsPath+"/") != nil:
		c.Redirect(http.StatusPermanentRedirect, docsPath+"/") // so that what the page names relatively is found
	case file == nil:
		s.refuse(c, chat.ErrNotFound)
	case c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead:
		c.Header("Allow", "GET, HEAD")
		s.wrongMethod(c)
	default:
		c.Status(http.StatusOK) // gin has made it 404 by now
		file.ServeHTTP(c.Writer, c.Request)
	}
}

// ClientAddress tells who asks; see Options.TrustedProxies.
func (s *Server) ClientAddress(r *http.Request) netip.Addr {
	address, _ := s.proxies.Client(r)
	return address
}

// OpenAPI is the description of all routes, as /openapi.json serves it.
func (s *Server) OpenAPI() []byte { return s.openAPI }

func (s *Server) serveOpenAPI(c *gin.Context) {
	c.Header("Cache-Control", "no-cache")
	c.Data(http.StatusOK, "application/openapi+json", s.openAPI)
}

// register hands all routes to huma and answers their description.
func (s *Server) register() *huma.OpenAPI {
	format := huma.Format{Marshal: strictjson.Write, Unmarshal: json.Unmarshal}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Blabber-Hive", Version: s.Version,
				Description: "Rooms are numbered logs: everything that happens in a room is an event with a seq, 1, 2, 3, … the same for everyone. Refusals are problem+json with a stable code.",
			},
			Servers: []*huma.Server{{URL: basePath}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearerScheme: {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, problemType: format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{translateErrors},
	}
	config.AllowAdditionalPropertiesByDefault = true // a newer client may say more than this server knows
	describeTypes(config.Components.Schemas)
	api := humagin.NewWithGroup(s.engine, s.engine.Group(basePath), config)
	for _, route := range routes() {
		if route.local && s.Supabase != nil {
			continue // passwords and sessions are the project's
		}
		route.register(s, api)
	}
	finishDescription(api.OpenAPI())
	return api.OpenAPI()
}

// describeTypes tells huma what it cannot see: that a wire.Time is a time.
func describeTypes(registry huma.Registry) {
	registry.RegisterTypeAlias(reflect.TypeFor[wire.Time](), reflect.TypeFor[time.Time]())
}
