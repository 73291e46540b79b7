// What an operator has Node import before `parley serve`: an SDK that prints each span as a line of JSON on stderr.
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId } = span.spanContext(),
        { name, attributes, parentSpanContext } = span;
      process.stderr.write(
        `${JSON.stringify({ span: name, traceId, parent: parentSpanContext?.spanId, attributes })}\n`,
      );
    }
    done({ code: 0 });
  },
  shutdown: async () => {},
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
