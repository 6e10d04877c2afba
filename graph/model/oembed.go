package model

import (
	"context"
	"strconv"

	"mixcloud-graphql/mixcloud"
)

// An OEmbed is a response of Mixcloud's oEmbed endpoint.
type OEmbed struct {
	*mixcloud.OEmbed
	xml func(context.Context) (string, error)
}

// NewOEmbed wraps a response. The function xml loads the response in XML.
func NewOEmbed(response *mixcloud.OEmbed, xml func(context.Context) (string, error)) *OEmbed {
	return &OEmbed{OEmbed: response, xml: xml}
}

// XML returns the response in XML, which needs its own call.
func (o *OEmbed) XML(ctx context.Context) (*string, error) {
	text, err := o.xml(ctx)
	if err != nil {
		return nil, err
	}
	return &text, nil
}

// Height returns the height in pixels, or nil if Mixcloud sends none or not a number.
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
