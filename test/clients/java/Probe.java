import dev.parley.*;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TBase;
import org.apache.thrift.TEnum;
import org.apache.thrift.TException;
import org.apache.thrift.TFieldIdEnum;
import org.apache.thrift.meta_data.FieldMetaData;
import org.apache.thrift.protocol.*;
import org.apache.thrift.transport.TSSLTransportFactory;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.layered.TFramedTransport;
import penguins.Penguin;
import penguins.Penguins;

/**
 * Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.
 *
 * <pre>java Probe HOST:PORT ROWS.jsonl GRAPH.onnx MODEL [compact] [multiplexed] [ca=FILE.pem] [token=TOKEN]</pre>
 *
 * The graph, of the sum of a and b, is published as a version of the model, which must be new. The keys are the same in
 * every language: see answers.ts.
 */
public final class Probe {
  private static final int TIMEOUT_MS = 10_000;
  private static final RequestContext PROBING = new RequestContext().setRequest_id("probe");
  private static final String TYPED = "penguins";

  private final TProtocol protocol;
  private final boolean multiplexed;
  private final List<Penguin> rows = new ArrayList<>();

  private Probe(TProtocol protocol, boolean multiplexed) {
    this.protocol = protocol;
    this.multiplexed = multiplexed;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> words = Arrays.asList(arguments).subList(4, arguments.length);
    try (TTransport transport = connect(arguments[0], words)) {
      TProtocol protocol = words.contains("compact") ? new TCompactProtocol(transport) : new TBinaryProtocol(transport);
      Probe probe = new Probe(protocol, words.contains("multiplexed"));
      for (String line : Files.readAllLines(Path.of(arguments[1]))) probe.rows.add(penguinOf(line));
      String token = valueOf(words, "token");
      if (token != null) {
        // The connection is known by it from here on.
        RequestContext shown = new RequestContext().setAuth_token(token);
        new Operations.Client(probe.of("Operations")).ping(new PingRequest().setContext(shown));
      }
      Map<String, Object> answers = probe.answers(Files.readAllBytes(Path.of(arguments[2])), arguments[3]);
      StringBuilder json = new StringBuilder();
      write(json, answers);
      new PrintStream(System.out, false, StandardCharsets.UTF_8).append(json).flush();
    }
  }

  private static TTransport connect(String address, List<String> words) throws Exception {
    int at = address.lastIndexOf(':');
    String host = address.substring(0, at);
    int port = Integer.parseInt(address.substring(at + 1));
    String authority = valueOf(words, "ca");
    TTransport socket =
        authority == null
            ? new TSocket(host, port, TIMEOUT_MS)
            : TSSLTransportFactory.getClientSocket(host, port, TIMEOUT_MS, trusting(Path.of(authority)));
    TTransport transport = new TFramedTransport(socket);
    if (!transport.isOpen()) transport.open();
    return transport;
  }

  /** What stands behind "name="; null where it is not among the words. */
  private static String valueOf(List<String> words, String name) {
    for (String word : words) if (word.startsWith(name + "=")) return word.substring(name.length() + 1);
    return null;
  }

  /** The factory takes its authorities from a key store. */
  private static TSSLTransportFactory.TSSLTransportParameters trusting(Path pem) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (var certificate = Files.newInputStream(pem)) {
      trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(certificate));
    }
    Path file = Files.createTempFile("authorities", ".p12");
    file.toFile().deleteOnExit();
    try (OutputStream out = Files.newOutputStream(file)) {
      trusted.store(out, "password".toCharArray());
    }
    var parameters = new TSSLTransportFactory.TSSLTransportParameters();
    parameters.setTrustStore(file.toString(), "password", "PKIX", "PKCS12");
    return parameters;
  }

  /** All services share the connection, whatever names they are called by. */
  private TProtocol of(String service) {
    return multiplexed ? new TMultiplexedProtocol(protocol, service) : protocol;
  }

  private Map<String, Object> answers(byte[] graph, String newModel) throws Exception {
    var penguins = new Penguins.Client(of("Penguins"));
    var prediction = new Prediction.Client(of("Prediction"));
    var registry = new Registry.Client(of("Registry"));
    var training = new Training.Client(of("Training"));
    var feedback = new Feedback.Client(of("Feedback"));
    var operations = new Operations.Client(of("Operations"));
    Penguin giant = new Penguin(rows.get(1)).setBill_length_mm(4650);
    DescribeResponse described = prediction.describe(new DescribeRequest().setModel(TYPED));
    PredictRequest request = new PredictRequest().setModel(TYPED);
    for (TensorSpec spec : described.getInputs()) request.addToInputs(tensor(spec));
    Map<String, Object> answers = new LinkedHashMap<>();
    answers.put("many", penguins.identify_many(rows, null));
    answers.put("refused", refusal(() -> penguins.identify_many(List.of(rows.get(0), giant), PROBING)));
    answers.put(
        "not_found",
        refusal(() -> prediction.describe(new DescribeRequest().setContext(PROBING).setModel("walruses"))));
    answers.put("unknown", callUnknown(operations));
    answers.put("described", described);
    answers.put("predicted", prediction.predict(request));
    answers.put("versions", registry.list_versions(new VersionsRequest().setModel(TYPED)));
    answers.put("history", registry.history(new HistoryRequest().setModel(TYPED)));
    answers.put("ping", operations.ping(new PingRequest()));
    answers.put("contract", operations.contract(new ContractRequest().setService_name("Penguins")));
    answers.put("registry", publish(registry, prediction, graph, newModel));
    answers.put("no_runs", refusal(() -> training.list_runs(new ListRunsRequest().setContext(PROBING))));
    answers.put(
        "no_labels",
        refusal(() -> feedback.record_labels(new RecordLabelsRequest().setContext(PROBING).setModel(TYPED))));
    return answers;
  }

  /** From an upload to a version behind an alias, which is held against a promotion and released. */
  private static Map<String, Object> publish(
      Registry.Client registry, Prediction.Client prediction, byte[] graph, String model) throws Exception {
    var begun = registry.begin_upload(new BeginUploadRequest().setModel(model).setSize_bytes(graph.length));
    var part =
        registry.upload_part(new UploadPartRequest().setUpload_id(begun.getUpload_id()).setOffset(0).setData(graph));
    var publication = new PublishRequest().setModel(model).setUpload_id(begun.getUpload_id());
    var published = registry.publish(publication.setMetrics(Map.of("test.mae", 0.25)).setDescription("by a probe"));
    String version = published.getVersion().getVersion();
    PromoteRequest promotion = new PromoteRequest().setModel(model).setVersion(version).setAlias_name("candidate");
    promotion.setReason("why not").setContext(PROBING);
    HoldRequest hold = new HoldRequest().setModel(model).setAlias_name("candidate").setReason("probing");
    PredictRequest asked = new PredictRequest().setModel(model).setReference(version).setOutputs(List.of("value"));
    asked.setInputs(List.of(one("a", 1), one("b", 2.5)));
    Map<String, Object> answers = new LinkedHashMap<>();
    answers.put("begun", begun);
    answers.put("part", part);
    answers.put("published", published);
    answers.put("promoted", registry.promote(promotion));
    answers.put("held", registry.hold(hold));
    answers.put("aliases", registry.aliases(new AliasesRequest().setModel(model)));
    answers.put("conflict", refusal(() -> registry.promote(promotion)));
    answers.put("released", registry.release(hold));
    answers.put("predicted", prediction.predict(asked));
    answers.put("pruned", registry.prune(new PruneRequest().setModel(model).setKeep(0).setDry_run(true)));
    answers.put("history", registry.history(new HistoryRequest().setModel(model)));
    return answers;
  }

  /** A method that no server knows, called and answered as the compiler would write it. */
  private Object callUnknown(Operations.Client operations) throws TException {
    TProtocol out = of("Penguins");
    out.writeMessageBegin(new TMessage("guess", TMessageType.CALL, 7));
    new Operations.ping_args(new PingRequest()).write(out);
    out.writeMessageEnd();
    out.getTransport().flush();
    try {
      operations.recv_ping();
      return Map.of("refused", false);
    } catch (TApplicationException error) {
      PingResponse after = operations.ping(new PingRequest());
      return Map.of(
          "type", error.getType(), "message", error.getMessage(), "name", error.getClass().getSimpleName(), "after", after);
    }
  }

  private interface Call {
    Object run() throws Exception;
  }

  private static Object refusal(Call call) throws Exception {
    try {
      call.run();
      return Map.of("refused", false);
    } catch (ParleyError error) {
      Map<String, Object> told = fieldsOf(error);
      told.put("typed", true);
      return told;
    }
  }

  private static Tensor one(String name, double value) {
    ByteBuffer data = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0, value);
    Tensor tensor = new Tensor().setName(name).setData_type(DataType.FLOAT64).setShape(List.of(1L, 1L));
    return tensor.setData(data.array());
  }

  /** One field of all rows: float64 or text, shape (rows, 1). */
  private Tensor tensor(TensorSpec spec) {
    Tensor made = new Tensor().setName(spec.getName()).setData_type(spec.getData_type());
    for (long extent : spec.getShape()) made.addToShape(extent < 0 ? rows.size() : extent);
    Penguin._Fields field = Penguin._Fields.findByName(spec.getName());
    ByteBuffer data = ByteBuffer.allocate(8 * rows.size()).order(ByteOrder.LITTLE_ENDIAN);
    for (Penguin row : rows) {
      boolean there = row.isSet(field);
      if (spec.getData_type() == DataType.STRING) made.addToStrings(there ? (String) row.getFieldValue(field) : "");
      else data.putDouble(there ? (Double) row.getFieldValue(field) : Double.NaN);
    }
    return spec.getData_type() == DataType.STRING ? made : made.setData(data.array());
  }

  private static final Pattern MEMBER = Pattern.compile("\"(\\w+)\":\\s*(?:\"([^\"]*)\"|([-+.\\deE]+))");

  private static Penguin penguinOf(String json) throws IOException {
    Penguin row = new Penguin();
    for (Matcher member = MEMBER.matcher(json); member.find(); ) {
      Object value = member.group(2) != null ? member.group(2) : Double.valueOf(member.group(3));
      row.setFieldValue(Penguin._Fields.findByName(member.group(1)), value);
    }
    return row;
  }

  /** What is set in a struct, by name. */
  private static <F extends TFieldIdEnum> Map<String, Object> fieldsOf(TBase<?, F> struct) {
    Map<String, Object> fields = new LinkedHashMap<>();
    @SuppressWarnings("unchecked")
    Map<F, FieldMetaData> known =
        (Map<F, FieldMetaData>) FieldMetaData.getStructMetaDataMap((Class<? extends TBase>) struct.getClass());
    for (Map.Entry<F, FieldMetaData> field : known.entrySet())
      if (struct.isSet(field.getKey()))
        fields.put(field.getValue().fieldName, struct.getFieldValue(field.getKey()));
    return fields;
  }

  /** Enums are their numbers, bytes are base64. */
  private static void write(StringBuilder out, Object value) {
    if (value instanceof TBase) write(out, fieldsOf((TBase<?, ?>) value));
    else if (value instanceof TEnum) out.append(((TEnum) value).getValue());
    else if (value instanceof byte[]) write(out, Base64.getEncoder().encodeToString((byte[]) value));
    else if (value instanceof ByteBuffer) {
      byte[] bytes = new byte[((ByteBuffer) value).remaining()];
      ((ByteBuffer) value).duplicate().get(bytes);
      write(out, bytes);
    } else if (value instanceof Iterable) {
      String between = "[";
      if (!((Iterable<?>) value).iterator().hasNext()) out.append(between);
      for (Object element : (Iterable<?>) value) {
        out.append(between);
        write(out, element);
        between = ",";
      }
      out.append(']');
    } else if (value instanceof Map) {
      String between = "{";
      if (((Map<?, ?>) value).isEmpty()) out.append(between);
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
        Object key = entry.getKey() instanceof TEnum ? ((TEnum) entry.getKey()).getValue() : entry.getKey();
        out.append(between);
        write(out, String.valueOf(key));
        out.append(':');
        write(out, entry.getValue());
        between = ",";
      }
      out.append('}');
    } else if (value instanceof String) {
      out.append('"');
      ((String) value).chars().forEach((unit) -> {
        if (unit < ' ' || unit == '"' || unit == '\\') out.append(String.format("\\u%04x", unit));
        else out.append((char) unit);
      });
      out.append('"');
    } else out.append(value);
  }
}
