package scope

import "context"

type contextKey struct{}

type inContext struct {
	scope Scope
	as    string // why the program reads for itself here, "" where it reads for the actor
}

// With says for whom what follows is read. The store locks the database to this actor's organisations
// where the engine can (docs/adr/0010); without it the program reads for itself.
func With(ctx context.Context, s Scope) context.Context {
	if s.side == SideSystem {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, inContext{scope: s})
}

// AsSystem lets the program read for itself, although an actor asked: to compute shares over everybody's
// lines, or an estimate of a whole vendor, of which the caller then shows what the actor's scope sees.
// why names the work in the list that the tests keep.
func AsSystem(ctx context.Context, why string) context.Context {
	in, ok := ctx.Value(contextKey{}).(inContext)
	if !ok {
		return ctx
	}
	in.as = why
	return context.WithValue(ctx, contextKey{}, in)
}

// From gives the actor that what follows is read for; ok is false where the program reads for itself.
func From(ctx context.Context) (s Scope, ok bool) {
	in, found := ctx.Value(contextKey{}).(inContext)
	return in.scope, found && in.as == ""
}
