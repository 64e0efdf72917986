package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/blabber-hive/blabber-hive/internal/account"
)

const bearerScheme = "bearer"

// route is one line of the list: what huma is told, and who may ask.
type route struct {
	operation huma.Operation
	signedIn  bool
	local     bool // there only where accounts are of this server
	describe  func(op *huma.Operation, schemas huma.Registry)
	bind      func(s *Server, api huma.API, op huma.Operation)
}

// open makes a route that needs no token.
func open[In, Out any](method, path, id, summary string, handle func(*Server, context.Context, *In) (*Out, error)) route {
	return route{
		operation: operation(method, path, id, summary),
		bind: func(s *Server, api huma.API, op huma.Operation) {
			huma.Register(api, op, func(ctx context.Context, in *In) (*Out, error) {
				out, err := handle(s, ctx, in)
				if err != nil {
					return nil, s.problemOf(ctx, err)
				}
				return out, nil
			})
		},
	}
}

// signedIn makes a route that is for whoever the token speaks for.
func signedIn[In, Out any](method, path, id, summary string, handle func(*Server, context.Context, account.Identity, *In) (*Out, error)) route {
	r := open(method, path, id, summary, func(s *Server, ctx context.Context, in *In) (*Out, error) {
		return handle(s, ctx, requestOf(ctx).who, in)
	})
	r.signedIn = true
	r.operation.Security = []map[string][]string{{bearerScheme: {}}}
	return r
}

func operation(method, path, id, summary string) huma.Operation {
	return huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary,
		Tags:            []string{strings.Split(path, "/")[1]},
		MaxBodyBytes:    -1, // admit has read the body by then, to its own bound and in its own time
		BodyReadTimeout: -1,
	}
}

// creates makes success 201, which otherwise is 200, or 204 where there is no body.
func (r route) creates() route {
	r.operation.DefaultStatus = http.StatusCreated
	return r
}

// ofLocalAccounts makes a route that is not there where another service signs people in.
func (r route) ofLocalAccounts() route {
	r.local = true
	return r
}

// describedBy lets a route describe what its types cannot.
func (r route) describedBy(describe func(op *huma.Operation, schemas huma.Registry)) route {
	r.describe = describe
	return r
}

func (r route) register(s *Server, api huma.API) {
	op := r.operation
	ids := idsIn(op.Path)
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		if err := s.admit(c, ctx.Operation(), r.signedIn, ids); err != nil {
			s.refuse(c, err)
			return
		}
		next(ctx)
	}}
	if r.describe != nil {
		r.describe(&op, api.OpenAPI().Components.Schemas)
	}
	r.bind(s, api, op)
}

// idsIn names the parameters of a path that are ids.
func idsIn(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok && strings.HasSuffix(name, "_id}") {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// finishDescription corrects what huma cannot know: which values may be null, and what a refusal looks like.
func finishDescription(described *huma.OpenAPI) {
	schemas := described.Components.Schemas
	problems := schemas.Schema(reflect.TypeFor[problem](), true, "Problem")
	for _, item := range described.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			op.Responses["default"] = &huma.Response{
				Description: "A refusal", Content: map[string]*huma.MediaType{problemType: {Schema: problems}},
			}
		}
	}
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	for name, schema := range schemas.Map() {
		allowNulls(schema, schemas.TypeFromRef("#/components/schemas/"+name))
	}
}

// allowNulls marks the fields of an answer that are pointers and always written: those, and no others, are null where
// there is nothing.
func allowNulls(schema *huma.Schema, t reflect.Type) {
	if t == nil || t.Kind() != reflect.Struct {
		return
	}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		property := schema.Properties[name]
		if property != nil && property.Type == huma.TypeArray && field.Tag.Get("nullable") != "true" {
			property.Nullable = false // an empty list is written as one
		}
		if field.Type.Kind() != reflect.Pointer || property == nil || strings.Contains(options, "omitempty") {
			continue
		}
		if property.Ref != "" {
			schema.Properties[name] = &huma.Schema{
				Description: property.Description, AnyOf: []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
			}
			continue
		}
		property.Nullable = true
	}
}

// bodyOf reports whether an operation takes a body, and whether it needs one.
func bodyOf(op *huma.Operation) (takes, needs bool) {
	if op.RequestBody == nil {
		return false, false
	}
	return true, op.RequestBody.Required
}

// isRead reports whether a method only asks.
func isRead(method string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, method)
}
