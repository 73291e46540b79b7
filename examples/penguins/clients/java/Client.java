import dev.parley.ParleyError;
import dev.parley.Problem;
import dev.parley.Provenance;
import dev.parley.RequestContext;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;
import penguins.Identified;
import penguins.Penguin;
import penguins.Penguins;
import penguins.Species;

/**
 * Asks a Parley server which species a penguin is, through stubs that the Thrift compiler made from penguins.thrift.
 *
 * <pre>java Client HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]</pre>
 *
 * With --rows, each line of the file is a penguin, and each answer is printed as a line of JSON.
 *
 * <p>What to know about libthrift for Java:
 *
 * <ul>
 *   <li>Compiler and library must be of about the same version: stubs of one that is much newer do not compile.
 *   <li>TSSLTransportFactory checks the authority of the server's certificate, but not its name: see {@link #secured}.
 *   <li>A field of a primitive type is absent until its setter was called; isSetX tells.
 *   <li>One client takes one call at a time, and is not for several threads at once. After a timeout its connection must
 *       be closed, since the late reply would be taken for the next call's.
 * </ul>
 */
public final class Client {
  private static final int TIMEOUT_MS = 5_000;

  private final Penguins.Client penguins;
  private final String token;

  private Client(Penguins.Client penguins, String token) {
    this.penguins = penguins;
    this.token = token;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of(arguments));
    String authority = option(words, "--ca"), token = option(words, "--token"), rows = option(words, "--rows");
    if (words.isEmpty() || !List.of("compact", "multiplexed").containsAll(words.subList(1, words.size()))) {
      System.err.println(
          "usage: java Client HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]");
      System.exit(2);
    }
    try (TTransport transport = connect(words.get(0), authority)) {
      Client client = new Client(clientOf(transport, words), token);
      if (rows == null) client.demonstrate();
      else client.answerRows(Path.of(rows));
    } catch (TTransportException error) {
      System.err.println("error: no server answers at " + words.get(0) + ": " + error.getMessage());
      System.exit(1);
    }
  }

  /** Framed is what the server speaks. */
  private static TTransport connect(String address, String authority)
      throws TException, IOException, GeneralSecurityException {
    int at = address.lastIndexOf(':');
    String host = address.substring(0, at);
    int port = Integer.parseInt(address.substring(at + 1));
    TTransport socket = authority == null ? new TSocket(host, port, TIMEOUT_MS) : secured(host, port, authority);
    TTransport transport = new TFramedTransport(socket);
    if (!transport.isOpen()) transport.open();
    return transport;
  }

  /** TLS: the server must show a certificate of this authority, for this host. */
  private static TTransport secured(String host, int port, String authority)
      throws TException, IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream pem = Files.newInputStream(Path.of(authority))) {
      trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, managers.getTrustManagers(), null);
    SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(host, port);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.setSoTimeout(TIMEOUT_MS);
    return new TSocket(socket);
  }

  private static Penguins.Client clientOf(TTransport transport, List<String> words) {
    // The protocol is the caller's choice; the server answers in the same.
    TProtocol protocol = words.contains("compact") ? new TCompactProtocol(transport) : new TBinaryProtocol(transport);
    // Plain names reach the server's default service; "Penguins:identify" is there in any case.
    if (words.contains("multiplexed")) protocol = new TMultiplexedProtocol(protocol, "Penguins");
    return new Penguins.Client(protocol);
  }

  /** Optional: an id to find the call by in the server's log, how long an answer is of use, and who asks. */
  private RequestContext context(String requestId) {
    RequestContext context = new RequestContext().setRequest_id(requestId).setTimeout_ms(TIMEOUT_MS);
    return token == null ? context : context.setAuth_token(token);
  }

  private void demonstrate() throws TException {
    Penguin torgersen =
        new Penguin()
            .setBill_length_mm(39.1)
            .setBill_depth_mm(18.7)
            .setFlipper_length_mm(181)
            .setBody_mass_g(3750)
            .setIsland("Torgersen")
            .setSex("MALE");
    show("identify", penguins.identify(torgersen, context("one")));

    Penguin dream =
        new Penguin()
            .setBill_length_mm(46.5)
            .setBill_depth_mm(17.9)
            .setFlipper_length_mm(192)
            .setBody_mass_g(3500)
            .setIsland("Dream")
            .setSex("FEMALE");
    // Nobody knows this one's sex, which the contract allows.
    Penguin biscoe =
        new Penguin()
            .setBill_length_mm(46.1)
            .setBill_depth_mm(13.2)
            .setFlipper_length_mm(211)
            .setBody_mass_g(4500)
            .setIsland("Biscoe");
    for (Identified answer : penguins.identify_many(List.of(dream, biscoe), context("two")))
      show("identify_many", answer);

    torgersen.setBill_length_mm(4650);
    try {
      penguins.identify(torgersen, context("three"));
    } catch (ParleyError error) {
      System.out.println("refused: " + error.getCode() + ", retryable: " + error.isRetryable());
      for (Problem problem : error.getProblems())
        System.out.println("  " + problem.getPath() + " " + problem.getMessage() + ", got " + problem.getGot());
    }
  }

  private static void show(String verb, Identified answer) {
    Provenance source = answer.getProvenance();
    System.out.printf(
        Locale.ROOT,
        "%s: %s (%.4f), says %s %.12s, prediction %s%n",
        verb,
        answer.getSpecies(),
        answer.getConfidence(),
        source.getModel(),
        source.getVersion(),
        source.getPrediction_id());
  }

  private void answerRows(Path file) throws IOException, TException {
    for (String line : Files.readAllLines(file)) System.out.println(answerRow(penguinOf(line)));
  }

  private String answerRow(Penguin row) throws TException {
    try {
      Identified answer = penguins.identify(row, token == null ? null : context("row"));
      String probabilities =
          answer.getProbability().entrySet().stream()
              .map((Map.Entry<Species, Double> entry) -> quoted(entry.getKey().name()) + ":" + entry.getValue())
              .collect(Collectors.joining(","));
      Provenance source = answer.getProvenance();
      return "{\"label\":" + quoted(answer.getSpecies().name()) + ",\"probabilities\":{" + probabilities
          + "},\"version\":" + quoted(source.getVersion())
          + ",\"prediction_id\":" + quoted(source.getPrediction_id()) + "}";
    } catch (ParleyError error) {
      String problems =
          error.getProblems().stream()
              .map((problem) -> "{\"path\":" + quoted(problem.getPath())
                  + ",\"message\":" + quoted(problem.getMessage()) + "}")
              .collect(Collectors.joining(","));
      return "{\"error\":{\"code\":" + quoted(error.getCode().name()) + ",\"problems\":[" + problems + "]}}";
    }
  }

  private static final Pattern MEMBER = Pattern.compile("\"(\\w+)\":\\s*(?:\"([^\"]*)\"|([-+.\\deE]+))");

  /** A flat JSON object of numbers and plain strings; a program of your own would take a JSON library. */
  private static Penguin penguinOf(String json) {
    Penguin row = new Penguin();
    for (Matcher member = MEMBER.matcher(json); member.find(); ) {
      Penguin._Fields field = Penguin._Fields.findByName(member.group(1));
      if (field != null)
        row.setFieldValue(field, member.group(2) != null ? member.group(2) : Double.valueOf(member.group(3)));
    }
    return row;
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  /** Takes an option and its value out of the words; null when it is not among them. */
  private static String option(List<String> words, String name) {
    int at = words.indexOf(name);
    if (at < 0 || at + 1 == words.size()) return null;
    words.remove(at);
    return words.remove(at);
  }
}
