// The OTLP receiver of the OpenTelemetry Collector, which prints what it takes: one line for each request.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printed(name string, text []byte, err error) error {
	if err == nil {
		fmt.Println(name, string(text))
	}
	return err
}

func main() {
	ctx := context.Background()
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	http := map[string]any{"endpoint": os.Args[1]}
	must(confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": http}}).Unmarshal(config))
	traces, err := consumer.NewTraces(func(_ context.Context, data ptrace.Traces) error {
		text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(data)
		return printed("traces", text, err)
	})
	must(err)
	metrics, err := consumer.NewMetrics(func(_ context.Context, data pmetric.Metrics) error {
		text, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(data)
		return printed("metrics", text, err)
	})
	must(err)
	settings := receivertest.NewNopSettings(factory.Type())
	traceReceiver, err := factory.CreateTraces(ctx, settings, config, traces)
	must(err)
	metricReceiver, err := factory.CreateMetrics(ctx, settings, config, metrics)
	must(err)
	must(traceReceiver.Start(ctx, componenttest.NewNopHost()))
	must(metricReceiver.Start(ctx, componenttest.NewNopHost()))
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	must(traceReceiver.Shutdown(ctx))
}
