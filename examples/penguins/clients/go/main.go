// Asks a Parley server which species a penguin is, through stubs that the Thrift compiler made from penguins.thrift.
//
//	go run . HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]
//
// With --rows, each line of the file is a penguin, and each answer is printed as a line of JSON.
//
// What to know about Thrift for Go:
//   - Optional fields are pointers: thrift.Float64Ptr(39.1), thrift.StringPtr("MALE"); nil is absent. Getters (GetSpecies)
//     give the zero value of an absent field.
//   - Declared exceptions are errors: errors.As finds a *parley.ParleyError.
//   - A context's deadline is looked at only when the socket's own timeout has passed: without SocketTimeout, a call to a
//     server that went away never ends.
//   - Socket, transport and protocol share one TConfiguration; of several, the protocol's would replace the others.
//   - One client takes one call at a time, and is not for several goroutines at once. After a timeout its connection must
//     be closed, since the late reply would be taken for the next call's.
//   - TMultiplexedProtocol is for writing only; replies come with plain names and are read by the protocol beneath.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"parley.example/penguins/gen-go/parley"
	"parley.example/penguins/gen-go/penguins"
)

const timeout = 5 * time.Second

type options struct {
	address     string
	compact     bool
	multiplexed bool
	authority   string
	token       string
	rows        string
}

func main() {
	wanted, ok := parse(os.Args[1:])
	if !ok {
		fmt.Fprintln(os.Stderr,
			"usage: client HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]")
		os.Exit(2)
	}
	if err := run(context.Background(), wanted); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (wanted options, ok bool) {
	for i := 0; i < len(arguments); i++ {
		switch argument := arguments[i]; {
		case argument == "compact":
			wanted.compact = true
		case argument == "multiplexed":
			wanted.multiplexed = true
		case argument == "--ca" && i+1 < len(arguments):
			i++
			wanted.authority = arguments[i]
		case argument == "--token" && i+1 < len(arguments):
			i++
			wanted.token = arguments[i]
		case argument == "--rows" && i+1 < len(arguments):
			i++
			wanted.rows = arguments[i]
		case wanted.address == "" && argument != "" && !strings.HasPrefix(argument, "-"):
			wanted.address = argument
		default:
			return wanted, false
		}
	}
	return wanted, wanted.address != ""
}

func run(ctx context.Context, wanted options) error {
	client, transport, err := connect(wanted)
	if err != nil {
		return fmt.Errorf("no server answers at %s: %w", wanted.address, err)
	}
	defer transport.Close()
	if wanted.rows != "" {
		return answerRows(ctx, client, wanted)
	}
	return demonstrate(ctx, client, wanted)
}

// connect opens a framed connection; the protocol is the caller's choice, and the server answers in the same.
func connect(wanted options) (*penguins.PenguinsClient, thrift.TTransport, error) {
	configuration := &thrift.TConfiguration{ConnectTimeout: timeout, SocketTimeout: timeout}
	var socket thrift.TTransport = thrift.NewTSocketConf(wanted.address, configuration)
	if wanted.authority != "" {
		// TLS: the server must show a certificate of this authority, for this host.
		pem, err := os.ReadFile(wanted.authority)
		if err != nil {
			return nil, nil, err
		}
		authorities := x509.NewCertPool()
		authorities.AppendCertsFromPEM(pem)
		configuration.TLSConfig = &tls.Config{RootCAs: authorities}
		socket = thrift.NewTSSLSocketConf(wanted.address, configuration)
	}
	transport := thrift.NewTFramedTransportConf(socket, configuration)
	var input thrift.TProtocol = thrift.NewTBinaryProtocolConf(transport, configuration)
	if wanted.compact {
		input = thrift.NewTCompactProtocolConf(transport, configuration)
	}
	output := input
	// Plain names reach the server's default service; "Penguins:identify" is there in any case.
	if wanted.multiplexed {
		output = thrift.NewTMultiplexedProtocol(input, "Penguins")
	}
	return penguins.NewPenguinsClient(thrift.NewTStandardClient(input, output)), transport, transport.Open()
}

// context is optional: an id to find the call by in the server's log, how long an answer is of use, and who asks.
func (wanted options) context(id string) *parley.RequestContext {
	made := &parley.RequestContext{RequestID: &id, TimeoutMs: thrift.Int32Ptr(int32(timeout.Milliseconds()))}
	if wanted.token != "" {
		made.AuthToken = &wanted.token
	}
	return made
}

func demonstrate(ctx context.Context, client *penguins.PenguinsClient, wanted options) error {
	torgersen := &penguins.Penguin{
		BillLengthMm:    thrift.Float64Ptr(39.1),
		BillDepthMm:     thrift.Float64Ptr(18.7),
		FlipperLengthMm: thrift.Float64Ptr(181),
		BodyMassG:       thrift.Float64Ptr(3750),
		Island:          thrift.StringPtr("Torgersen"),
		Sex:             thrift.StringPtr("MALE"),
	}
	answer, err := client.Identify(ctx, torgersen, wanted.context("one"))
	if err != nil {
		return err
	}
	show("identify", answer)

	others := []*penguins.Penguin{
		{
			BillLengthMm:    thrift.Float64Ptr(46.5),
			BillDepthMm:     thrift.Float64Ptr(17.9),
			FlipperLengthMm: thrift.Float64Ptr(192),
			BodyMassG:       thrift.Float64Ptr(3500),
			Island:          thrift.StringPtr("Dream"),
			Sex:             thrift.StringPtr("FEMALE"),
		},
		{ // Nobody knows this one's sex, which the contract allows.
			BillLengthMm:    thrift.Float64Ptr(46.1),
			BillDepthMm:     thrift.Float64Ptr(13.2),
			FlipperLengthMm: thrift.Float64Ptr(211),
			BodyMassG:       thrift.Float64Ptr(4500),
			Island:          thrift.StringPtr("Biscoe"),
		},
	}
	answers, err := client.IdentifyMany(ctx, others, wanted.context("two"))
	if err != nil {
		return err
	}
	for _, answer := range answers {
		show("identify_many", answer)
	}

	torgersen.BillLengthMm = thrift.Float64Ptr(4650)
	_, err = client.Identify(ctx, torgersen, wanted.context("three"))
	var refused *parley.ParleyError
	if !errors.As(err, &refused) {
		return fmt.Errorf("a bill of 4650 mm was not refused: %w", err)
	}
	fmt.Printf("refused: %s, retryable: %t\n", refused.GetCode(), refused.GetRetryable())
	for _, problem := range refused.Problems {
		fmt.Printf("  %s %s, got %s\n", problem.GetPath(), problem.GetMessage(), problem.GetGot())
	}
	return nil
}

func show(verb string, answer *penguins.Identified) {
	source := answer.GetProvenance()
	fmt.Printf("%s: %s (%.4f), says %s %.12s, prediction %s\n", verb, answer.GetSpecies(), answer.GetConfidence(),
		source.GetModel(), source.GetVersion(), source.GetPredictionID())
}

// A line of --rows's output.
type line struct {
	Label         string                       `json:"label,omitempty"`
	Probabilities map[penguins.Species]float64 `json:"probabilities,omitempty"`
	Version       parley.Version               `json:"version,omitempty"`
	PredictionID  string                       `json:"prediction_id,omitempty"`
	Error         *refusal                     `json:"error,omitempty"`
}

type refusal struct {
	Code     string            `json:"code"`
	Problems []*parley.Problem `json:"problems"`
}

func answerRows(ctx context.Context, client *penguins.PenguinsClient, wanted options) error {
	file, err := os.Open(wanted.rows)
	if err != nil {
		return err
	}
	defer file.Close()
	var asking *parley.RequestContext
	if wanted.token != "" {
		asking = wanted.context("row")
	}
	answers := json.NewEncoder(os.Stdout)
	rows := bufio.NewScanner(file)
	for rows.Scan() {
		// The stubs' JSON names are the contract's.
		var row penguins.Penguin
		if err := json.Unmarshal(rows.Bytes(), &row); err != nil {
			return err
		}
		answer, err := answerRow(ctx, client, &row, asking)
		if err != nil {
			return err
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return rows.Err()
}

func answerRow(
	ctx context.Context, client *penguins.PenguinsClient, row *penguins.Penguin, asking *parley.RequestContext,
) (*line, error) {
	answer, err := client.Identify(ctx, row, asking)
	var refused *parley.ParleyError
	if errors.As(err, &refused) {
		return &line{Error: &refusal{Code: refused.GetCode().String(), Problems: refused.Problems}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &line{
		Label:         answer.GetSpecies().String(),
		Probabilities: answer.Probability,
		Version:       answer.GetProvenance().GetVersion(),
		PredictionID:  answer.GetProvenance().GetPredictionID(),
	}, nil
}
