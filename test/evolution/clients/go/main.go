// Calls services by stubs of many contracts, and prints what each call comes to as one JSON array.
//
//	client JOBS.json
//
// See client.mjs. The stubs of all contracts are packages of this module, which registry.go lists: it is written with them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"evolution/gen/parley"
)

type job struct {
	Stubs   string
	Service string
	Served  string
	Method  string
	Many    bool
	Row     map[string]any
}

type asked struct {
	Host string
	Port int
	Jobs []job
}

func main() {
	bytes, err := os.ReadFile(os.Args[1])
	must(err)
	var all asked
	must(json.Unmarshal(bytes, &all))
	outcomes := []any{}
	for _, each := range all.Jobs {
		outcomes = append(outcomes, outcomeOf(each, fmt.Sprintf("%s:%d", all.Host, all.Port)))
	}
	must(json.NewEncoder(os.Stdout).Encode(outcomes))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

type object = map[string]any

func outcomeOf(each job, address string) any {
	configuration := &thrift.TConfiguration{ConnectTimeout: 10 * time.Second, SocketTimeout: 5 * time.Second}
	transport := thrift.NewTFramedTransportConf(thrift.NewTSocketConf(address, configuration), configuration)
	must(transport.Open())
	defer transport.Close()
	protocol := thrift.NewTBinaryProtocolConf(transport, configuration)
	multiplexed := thrift.NewTMultiplexedProtocol(protocol, each.Served)
	client := reflect.ValueOf(clients[each.Stubs](thrift.NewTStandardClient(protocol, multiplexed)))
	method := client.MethodByName(strings.ToUpper(each.Method[:1]) + each.Method[1:])
	if !method.IsValid() {
		return object{"source": "no method " + each.Method}
	}
	arguments := []reflect.Value{reflect.ValueOf(context.Background())}
	for index := 1; index < method.Type().NumIn(); index++ {
		arguments = append(arguments, argumentOf(method.Type().In(index), each.Row))
	}
	results := method.Call(arguments)
	if failure, ok := results[1].Interface().(error); ok {
		return object{"error": errorOf(failure)}
	}
	answer := results[0]
	if answer.Kind() == reflect.Slice {
		if answer.Len() == 0 {
			return object{"answer": object{"odd": "empty"}}
		}
		answer = answer.Index(0)
	}
	return object{"answer": plain(answer.Elem())}
}

// argumentOf is the row, or a list of it; of another struct nothing, which is the context.
func argumentOf(kind reflect.Type, row map[string]any) reflect.Value {
	if kind.Kind() == reflect.Slice {
		return reflect.Append(reflect.MakeSlice(kind, 0, 1), argumentOf(kind.Elem(), row))
	}
	if kind.Elem().Name() != "Penguin" {
		return reflect.Zero(kind)
	}
	made := reflect.New(kind.Elem())
	for index := range kind.Elem().NumField() {
		name := nameOf(kind.Elem().Field(index))
		if value, found := row[name]; found {
			set(made.Elem().Field(index), value)
		}
	}
	return made
}

func nameOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("thrift"), ",")
	return name
}

func set(field reflect.Value, value any) {
	if field.Kind() == reflect.Pointer {
		pointed := reflect.New(field.Type().Elem())
		set(pointed.Elem(), value)
		field.Set(pointed)
		return
	}
	field.Set(reflect.ValueOf(value).Convert(field.Type()))
}

func errorOf(failure error) object {
	var refused *parley.ParleyError
	if errors.As(failure, &refused) {
		problems := []object{}
		for _, problem := range refused.GetProblems() {
			problems = append(problems, object{"path": problem.GetPath()})
		}
		return object{"name": "ParleyError", "code": int(refused.GetCode()), "message": refused.GetMessage(), "problems": problems}
	}
	return object{"name": fmt.Sprintf("%T", failure), "code": nil, "message": failure.Error(), "problems": []object{}}
}

// plain is by field name, without provenance; numbers of the enum have their names.
func plain(answer reflect.Value) object {
	fields := object{}
	for index := range answer.NumField() {
		name, value := nameOf(answer.Type().Field(index)), answer.Field(index)
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				continue
			}
			value = value.Elem()
		}
		switch {
		case name == "" || name == "provenance" || value.Kind() == reflect.Map && value.Len() == 0:
		case name == "species":
			fields[name] = object{"number": value.Int(), "name": memberOf(value)}
		case value.Kind() == reflect.Map:
			each := object{}
			for _, key := range value.MapKeys() {
				member := memberOf(key)
				if member == nil {
					member = fmt.Sprintf("#%d", key.Int())
				}
				each[member.(string)] = value.MapIndex(key).Interface()
			}
			fields[name] = each
		default:
			fields[name] = value.Interface()
		}
	}
	return fields
}

// memberOf is nil where the number has no name in the stubs.
func memberOf(value reflect.Value) any {
	name := fmt.Sprint(value.Interface())
	if name == "<UNSET>" {
		return nil
	}
	return name
}
