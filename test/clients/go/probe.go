// Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.
//
//	probe HOST:PORT ROWS.jsonl GRAPH.onnx MODEL [compact] [multiplexed] [ca=FILE.pem] [token=TOKEN]
//
// The graph, of the sum of a and b, is published as a version of the model, which must be new. The keys are the same in every language: see answers.ts. It is built as a part of the example's module.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"parley.example/penguins/gen-go/parley"
	"parley.example/penguins/gen-go/penguins"
)

var (
	model   = "penguins"
	probing = &parley.RequestContext{RequestID: thrift.StringPtr("probe")}
)

// A connection that all services share, whatever names they are called by.
type connection struct {
	protocol    thrift.TProtocol
	multiplexed bool
}

func (c connection) of(service string) thrift.TClient {
	if c.multiplexed {
		return thrift.NewTStandardClient(c.protocol, thrift.NewTMultiplexedProtocol(c.protocol, service))
	}
	return thrift.NewTStandardClient(c.protocol, c.protocol)
}

func main() {
	ctx := context.Background()
	rows, columns := read(os.Args[2])
	words := os.Args[5:]
	configuration := &thrift.TConfiguration{ConnectTimeout: 10 * time.Second, SocketTimeout: 10 * time.Second}
	var socket thrift.TTransport = thrift.NewTSocketConf(os.Args[1], configuration)
	if file := valueOf(words, "ca"); file != nil {
		configuration.TLSConfig = &tls.Config{RootCAs: authorities(*file)}
		socket = thrift.NewTSSLSocketConf(os.Args[1], configuration)
	}
	transport := thrift.NewTFramedTransportConf(socket, configuration)
	var protocol thrift.TProtocol = thrift.NewTBinaryProtocolConf(transport, configuration)
	if slices.Contains(words, "compact") {
		protocol = thrift.NewTCompactProtocolConf(transport, configuration)
	}
	must(struct{}{}, transport.Open())
	defer transport.Close()
	open := connection{protocol, slices.Contains(words, "multiplexed")}

	client := penguins.NewPenguinsClient(open.of("Penguins"))
	prediction := parley.NewPredictionClient(open.of("Prediction"))
	registry := parley.NewRegistryClient(open.of("Registry"))
	training := parley.NewTrainingClient(open.of("Training"))
	feedback := parley.NewFeedbackClient(open.of("Feedback"))
	operations := parley.NewOperationsClient(open.of("Operations"))

	if token := valueOf(words, "token"); token != nil {
		// The connection is known by it from here on.
		must(operations.Ping(ctx, &parley.PingRequest{Context: &parley.RequestContext{AuthToken: token}}))
	}
	described := must(prediction.Describe(ctx, &parley.DescribeRequest{Model: &model}))
	answers := map[string]any{
		"many":      must(client.IdentifyMany(ctx, rows, nil)),
		"refused":   refuse(ctx, client, rows),
		"unknown":   callUnknown(ctx, open, operations),
		"described": described,
		"predicted": must(prediction.Predict(ctx, &parley.PredictRequest{
			Model: &model, Inputs: tensors(described.Inputs, columns, len(rows)),
		})),
		"versions": must(registry.ListVersions(ctx, &parley.VersionsRequest{Model: &model})),
		"history":  must(registry.History(ctx, &parley.HistoryRequest{Model: &model})),
		"ping":     must(operations.Ping(ctx, &parley.PingRequest{})),
		"contract": must(operations.Contract(ctx, &parley.ContractRequest{ServiceName: thrift.StringPtr("Penguins")})),
		"registry": publish(ctx, registry, prediction, must(os.ReadFile(os.Args[3])), os.Args[4]),
	}
	_, err := prediction.Describe(ctx, &parley.DescribeRequest{Model: thrift.StringPtr("walruses"), Context: probing})
	answers["not_found"] = refusal(err)
	_, err = training.ListRuns(ctx, &parley.ListRunsRequest{Context: probing})
	answers["no_runs"] = refusal(err)
	_, err = feedback.RecordLabels(ctx, &parley.RecordLabelsRequest{Model: &model, Context: probing})
	answers["no_labels"] = refusal(err)
	must(struct{}{}, json.NewEncoder(os.Stdout).Encode(answers))
}

// valueOf is what stands behind "name="; nil where it is not among the words.
func valueOf(words []string, name string) *string {
	for _, word := range words {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return &value
		}
	}
	return nil
}

// authorities are those whose certificates a server may show.
func authorities(path string) *x509.CertPool {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must(os.ReadFile(path))) {
		panic("no certificate in " + path)
	}
	return pool
}

// publish goes from an upload to a version behind an alias, which is held against a promotion and released.
func publish(
	ctx context.Context, registry *parley.RegistryClient, prediction *parley.PredictionClient, graph []byte, model string,
) any {
	alias, reason, description := "candidate", "why not", "by a probe"
	begun := must(registry.BeginUpload(ctx, &parley.BeginUploadRequest{
		Model: &model, SizeBytes: thrift.Int64Ptr(int64(len(graph))),
	}))
	part := must(registry.UploadPart(ctx, &parley.UploadPartRequest{
		UploadID: begun.UploadID, Offset: thrift.Int64Ptr(0), Data: graph,
	}))
	published := must(registry.Publish(ctx, &parley.PublishRequest{
		Model: &model, UploadID: begun.UploadID, Metrics: map[string]float64{"test.mae": 0.25}, Description: &description,
	}))
	version := published.Version.GetVersion()
	promotion := &parley.PromoteRequest{
		Model: &model, Version: &version, AliasName: &alias, Reason: &reason, Context: probing,
	}
	hold := &parley.HoldRequest{Model: &model, AliasName: &alias, Reason: thrift.StringPtr("probing")}
	answers := map[string]any{
		"begun": begun, "part": part, "published": published,
		"promoted": must(registry.Promote(ctx, promotion)),
		"held":     must(registry.Hold(ctx, hold)),
		"aliases":  must(registry.Aliases(ctx, &parley.AliasesRequest{Model: &model})),
	}
	_, err := registry.Promote(ctx, promotion)
	answers["conflict"] = refusal(err)
	answers["released"] = must(registry.Release(ctx, hold))
	answers["predicted"] = must(prediction.Predict(ctx, &parley.PredictRequest{
		Model: &model, Reference: thrift.StringPtr(string(version)), Outputs: []string{"value"},
		Inputs: []*parley.Tensor{one("a", 1), one("b", 2.5)},
	}))
	answers["pruned"] = must(registry.Prune(ctx, &parley.PruneRequest{
		Model: &model, Keep: thrift.Int32Ptr(0), DryRun: thrift.BoolPtr(true),
	}))
	answers["history"] = must(registry.History(ctx, &parley.HistoryRequest{Model: &model}))
	return answers
}

// one is a tensor of one row.
func one(name string, value float64) *parley.Tensor {
	float64s := parley.DataType_FLOAT64
	data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(value))
	return &parley.Tensor{Name: &name, DataType: &float64s, Shape: []int64{1, 1}, Data: data}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// read gives the rows, and each field's values by its name.
func read(path string) (rows []*penguins.Penguin, columns map[string][]any) {
	file := must(os.Open(path))
	defer file.Close()
	columns = map[string][]any{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		row, values := &penguins.Penguin{}, map[string]any{}
		must(row, json.Unmarshal(lines.Bytes(), row))
		must(row, json.Unmarshal(lines.Bytes(), &values))
		rows = append(rows, row)
		for _, name := range []string{
			"bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "island", "sex",
		} {
			columns[name] = append(columns[name], values[name])
		}
	}
	return rows, columns
}

// tensors has one tensor a field: float64 or text, shape (rows, 1).
func tensors(specs []*parley.TensorSpec, columns map[string][]any, rows int) (made []*parley.Tensor) {
	for _, spec := range specs {
		tensor := &parley.Tensor{Name: spec.Name, DataType: spec.DataType}
		for _, extent := range spec.Shape {
			if extent < 0 {
				extent = int64(rows)
			}
			tensor.Shape = append(tensor.Shape, extent)
		}
		var data bytes.Buffer
		for _, value := range columns[spec.GetName()] {
			if spec.GetDataType() == parley.DataType_STRING {
				text, _ := value.(string)
				tensor.Strings = append(tensor.Strings, text)
				continue
			}
			number, there := value.(float64)
			if !there {
				number = math.NaN()
			}
			binary.Write(&data, binary.LittleEndian, number)
		}
		if spec.GetDataType() != parley.DataType_STRING {
			tensor.Data = data.Bytes()
		}
		made = append(made, tensor)
	}
	return made
}

func refuse(ctx context.Context, client *penguins.PenguinsClient, rows []*penguins.Penguin) any {
	giant := *rows[1]
	giant.BillLengthMm = thrift.Float64Ptr(4650)
	_, err := client.IdentifyMany(ctx, []*penguins.Penguin{rows[0], &giant},
		probing)
	return refusal(err)
}

func refusal(err error) any {
	var refused *parley.ParleyError
	if !errors.As(err, &refused) {
		return map[string]any{"refused": false}
	}
	return struct {
		*parley.ParleyError
		Typed bool `json:"typed"`
	}{refused, true}
}

// callUnknown calls a method that no server knows, as the compiler would write it.
func callUnknown(ctx context.Context, open connection, operations *parley.OperationsClient) any {
	_, err := open.of("Penguins").Call(ctx, "guess", &parley.OperationsPingArgs{}, &parley.OperationsPingResult{})
	var unknown thrift.TApplicationException
	if !errors.As(err, &unknown) {
		return map[string]any{"refused": false}
	}
	return map[string]any{
		"type": unknown.TypeId(), "message": unknown.Error(), "name": "TApplicationException",
		"after": must(operations.Ping(ctx, &parley.PingRequest{})),
	}
}
