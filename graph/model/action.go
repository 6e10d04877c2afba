package model

import "context"

// A UserActionInput is the input of the actions on a user.
type UserActionInput struct {
	UserID           *string
	Username         *string
	ClientMutationID *string
}

// A CloudcastActionInput is the input of the actions on a cloudcast.
type CloudcastActionInput struct {
	CloudcastID      *string
	Key              *string
	ClientMutationID *string
}

// A UserPayload is the payload of the actions on a user.
type UserPayload struct {
	Payload
	user func(context.Context) (*User, error)
	edge func(context.Context) (*UserEdge, error)
}

// NewUserPayload returns a payload. User loads the changed user, edge the edge of the
// user in the viewer's list. Edge is nil if the action adds to no list.
func NewUserPayload(out Payload, user func(context.Context) (*User, error), edge func(context.Context) (*UserEdge, error)) *UserPayload {
	return &UserPayload{out, user, edge}
}

// User returns the user after the action, or nil if the input was refused.
func (a *UserPayload) User(ctx context.Context) (*User, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.user(ctx)
}

// Edge returns the edge of the user in the viewer's list, or nil if the input was
// refused.
func (a *UserPayload) Edge(ctx context.Context) (*UserEdge, error) {
	if a.Refused() || a.edge == nil {
		return nil, nil
	}
	return a.edge(ctx)
}

// A CloudcastPayload is the payload of the actions on a cloudcast, of uploads
// and of edits.
type CloudcastPayload struct {
	Payload
	cloudcast func(context.Context) (*Cloudcast, error)
	edge      func(context.Context) (*CloudcastEdge, error)
}

// NewCloudcastPayload returns a payload. Cloudcast loads the changed cloudcast, edge
// the edge of the cloudcast in the viewer's list. Edge is nil if the mutation adds to
// no list.
func NewCloudcastPayload(out Payload, cloudcast func(context.Context) (*Cloudcast, error), edge func(context.Context) (*CloudcastEdge, error)) *CloudcastPayload {
	return &CloudcastPayload{out, cloudcast, edge}
}

// Cloudcast returns the cloudcast after the mutation, or nil if the input was refused.
func (a *CloudcastPayload) Cloudcast(ctx context.Context) (*Cloudcast, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.cloudcast(ctx)
}

// Edge returns the edge of the cloudcast in the viewer's list, or nil if the input
// was refused.
func (a *CloudcastPayload) Edge(ctx context.Context) (*CloudcastEdge, error) {
	if a.Refused() || a.edge == nil {
		return nil, nil
	}
	return a.edge(ctx)
}

// A Payload contains the fields that all mutation payloads share.
type Payload struct {
	Changed          *bool        // nil if unknown
	Message          *string      // Mixcloud's message
	UserErrors       []*UserError // never nil
	ClientMutationID *string
	RemovedID        *string // the id of the item that was removed from a list of the viewer, or nil

	viewer func(context.Context) (*User, error)
}

// NewPayload returns a payload. Viewer loads the viewer if the operation selects it.
func NewPayload(clientMutationID *string, viewer func(context.Context) (*User, error)) Payload {
	return Payload{UserErrors: []*UserError{}, ClientMutationID: clientMutationID, viewer: viewer}
}

// Viewer returns the viewer after the mutation.
func (p *Payload) Viewer(ctx context.Context) (*User, error) { return p.viewer(ctx) }

// Refuse refuses the input: it adds a user error. The field is the path within the
// input. Without a field, the error is about the whole input.
func (p *Payload) Refuse(code UserErrorCode, message string, field ...string) {
	p.UserErrors = append(p.UserErrors, &UserError{Field: field, Code: code, Message: message})
}

// Refused reports whether the input was refused.
func (p *Payload) Refused() bool { return len(p.UserErrors) > 0 }

// A UserError is one reason why an input was refused.
type UserError struct {
	Field   []string // nil for the whole input
	Code    UserErrorCode
	Message string
}
