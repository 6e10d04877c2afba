package model

import (
	"context"
	"strconv"

	"mixcloud-graphql/mixcloud"
)

// An OEmbed is what Mixcloud's oEmbed endpoint says of a page.
type OEmbed struct {
	*mixcloud.OEmbed
	xml func(context.Context) (string, error)
}

// NewOEmbed wraps an answer; xml asks for the same in its XML form.
func NewOEmbed(answer *mixcloud.OEmbed, xml func(context.Context) (string, error)) *OEmbed {
	return &OEmbed{OEmbed: answer, xml: xml}
}

// XML is the answer in its XML form, which takes a call of its own.
func (o *OEmbed) XML(ctx context.Context) (*string, error) {
	text, err := o.xml(ctx)
	if err != nil {
		return nil, err
	}
	return &text, nil
}

// Height is the height in pixels; nil when it is absent or no number.
func (o *OEmbed) Height() *int {
	if o.OEmbed.Height == nil {
		return nil
	}
	height, err := strconv.Atoi(*o.OEmbed.Height)
	if err != nil {
		return nil
	}
	return &height
}
