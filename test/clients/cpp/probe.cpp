// Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.
//
//   probe HOST:PORT ROWS.jsonl GRAPH.onnx MODEL [compact] [multiplexed] [ca=FILE.pem] [token=TOKEN]
//
// The graph, of the sum of a and b, is published as a version of the model, which must be new. The keys are the same in
// every language: see answers.ts.
#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <regex>

#include <thrift/TApplicationException.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/TMultiplexedProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSSLSocket.h>
#include <thrift/transport/TSocket.h>

#include "Feedback.h"
#include "Operations.h"
#include "Penguins.h"
#include "Prediction.h"
#include "Registry.h"
#include "Training.h"
#include "json.h"

using namespace apache::thrift;
using penguins::Penguin;

namespace {

constexpr int TIMEOUT_MS = 10000;
const char* const TYPED = "penguins";
parley::RequestContext probing;

// A connection that all services share, whatever names they are called by.
struct Connection {
  std::shared_ptr<protocol::TProtocol> protocol;
  bool multiplexed = false;

  std::shared_ptr<protocol::TProtocol> of(const std::string& service) const {
    if (!multiplexed) return protocol;
    return std::make_shared<protocol::TMultiplexedProtocol>(protocol, service);
  }
};

// What stands behind "name="; empty where it is not among the words.
std::string valueOf(const std::vector<std::string>& words, const std::string& name) {
  for (const std::string& word : words)
    if (word.rfind(name + '=', 0) == 0) return word.substr(name.size() + 1);
  return "";
}

Connection connect(const std::string& address, const std::vector<std::string>& words) {
  Connection made;
  const std::string authority = valueOf(words, "ca");
  bool compact = false;
  for (const std::string& word : words) {
    if (word == "compact") compact = true;
    if (word == "multiplexed") made.multiplexed = true;
  }
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  const int port = std::atoi(address.c_str() + colon + 1);
  std::shared_ptr<transport::TSocket> socket;
  if (authority.empty()) socket = std::make_shared<transport::TSocket>(host, port);
  else {
    transport::TSSLSocketFactory factory;
    factory.loadTrustedCertificates(authority.c_str());
    factory.authenticate(true);
    socket = factory.createSocket(host, port);
  }
  socket->setConnTimeout(TIMEOUT_MS);
  socket->setRecvTimeout(TIMEOUT_MS);
  socket->setSendTimeout(TIMEOUT_MS);
  auto framed = std::make_shared<transport::TFramedTransport>(socket);
  framed->open();
  if (compact) made.protocol = std::make_shared<protocol::TCompactProtocol>(framed);
  else made.protocol = std::make_shared<protocol::TBinaryProtocol>(framed);
  return made;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Penguin> rowsOf(const std::string& path) {
  const std::regex member("\"(\\w+)\":\\s*(?:\"([^\"]*)\"|([-+.\\deE]+))");
  std::vector<Penguin> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    Penguin row;
    for (std::sregex_iterator found(line.begin(), line.end(), member), end; found != end; ++found) {
      const std::string name = (*found)[1], text = (*found)[2];
      const double number = std::atof((*found)[3].str().c_str());
      if (name == "bill_length_mm") row.__set_bill_length_mm(number);
      if (name == "bill_depth_mm") row.__set_bill_depth_mm(number);
      if (name == "flipper_length_mm") row.__set_flipper_length_mm(number);
      if (name == "body_mass_g") row.__set_body_mass_g(number);
      if (name == "island") row.__set_island(text);
      if (name == "sex") row.__set_sex(text);
    }
    rows.push_back(row);
  }
  return rows;
}

double numberOf(const Penguin& row, const std::string& field) {
  const double missing = std::nan("");
  if (field == "bill_length_mm") return row.__isset.bill_length_mm ? row.bill_length_mm : missing;
  if (field == "bill_depth_mm") return row.__isset.bill_depth_mm ? row.bill_depth_mm : missing;
  if (field == "flipper_length_mm") return row.__isset.flipper_length_mm ? row.flipper_length_mm : missing;
  return row.__isset.body_mass_g ? row.body_mass_g : missing;
}

parley::Tensor tensorOf(const std::string& name, const std::vector<double>& values, const std::vector<int64_t>& shape) {
  parley::Tensor made;
  made.__set_name(name);
  made.__set_data_type(parley::DataType::FLOAT64);
  made.__set_shape(shape);
  std::string data(values.size() * sizeof(double), '\0');
  std::memcpy(&data[0], values.data(), data.size());
  made.__set_data(data);
  return made;
}

// One field of all rows: float64 or text, shape (rows, 1).
parley::Tensor tensorOf(const parley::TensorSpec& spec, const std::vector<Penguin>& rows) {
  std::vector<int64_t> shape;
  for (const int64_t extent : spec.shape) shape.push_back(extent < 0 ? int64_t(rows.size()) : extent);
  if (spec.data_type != parley::DataType::STRING) {
    std::vector<double> values;
    for (const Penguin& row : rows) values.push_back(numberOf(row, spec.name));
    return tensorOf(spec.name, values, shape);
  }
  std::vector<std::string> strings;
  for (const Penguin& row : rows) strings.push_back(spec.name == "island" ? row.island : row.sex);
  parley::Tensor made;
  made.__set_name(spec.name);
  made.__set_data_type(spec.data_type);
  made.__set_shape(shape);
  made.__set_strings(strings);
  return made;
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const parley::ParleyError& error) {
    return "{\"typed\":true," + jsonOf(error).substr(1);
  }
  return "{\"refused\":false}";
}

// A method that no server knows, called and answered as the compiler would write it.
std::string callUnknown(const Connection& connection, parley::OperationsClient& operations) {
  const parley::PingRequest request;
  auto out = connection.of("Penguins");
  out->writeMessageBegin("guess", protocol::T_CALL, 7);
  parley::Operations_ping_pargs arguments;
  arguments.request = &request;
  arguments.write(out.get());
  out->writeMessageEnd();
  out->getTransport()->writeEnd();
  out->getTransport()->flush();
  parley::PingResponse after;
  try {
    operations.recv_ping(after);
  } catch (const TApplicationException& error) {
    operations.ping(after, request);
    JsonWriter message;
    message.writeString(error.what());
    return "{\"type\":" + std::to_string(error.getType()) + ",\"message\":" + message.text +
           ",\"name\":\"TApplicationException\",\"after\":" + jsonOf(after) + '}';
  }
  return "{\"refused\":false}";
}

// From an upload to a version behind an alias, which is held against a promotion and released.
std::string publish(const Connection& connection, const std::string& graph, const std::string& model) {
  parley::RegistryClient registry(connection.of("Registry"));
  parley::PredictionClient prediction(connection.of("Prediction"));
  parley::BeginUploadRequest begin;
  begin.__set_model(model);
  begin.__set_size_bytes(int64_t(graph.size()));
  parley::BeginUploadResponse begun;
  registry.begin_upload(begun, begin);
  parley::UploadPartRequest upload;
  upload.__set_upload_id(begun.upload_id);
  upload.__set_offset(0);
  upload.__set_data(graph);
  parley::UploadPartResponse part;
  registry.upload_part(part, upload);
  parley::PublishRequest publication;
  publication.__set_model(model);
  publication.__set_upload_id(begun.upload_id);
  publication.__set_metrics({{"test.mae", 0.25}});
  publication.__set_description("by a probe");
  parley::PublishResponse published;
  registry.publish(published, publication);
  const std::string version = published.version.version;
  parley::PromoteRequest promotion;
  promotion.__set_model(model);
  promotion.__set_version(version);
  promotion.__set_alias_name("candidate");
  promotion.__set_reason("why not");
  promotion.__set_context(probing);
  parley::AliasResponse promoted, held, released, none;
  registry.promote(promoted, promotion);
  parley::HoldRequest hold;
  hold.__set_model(model);
  hold.__set_alias_name("candidate");
  hold.__set_reason("probing");
  registry.hold(held, hold);
  parley::AliasesRequest wanted;
  wanted.__set_model(model);
  parley::AliasesResponse aliases;
  registry.aliases(aliases, wanted);
  const std::string conflict = refusal([&] { registry.promote(none, promotion); });
  registry.release(released, hold);
  parley::PredictRequest asked;
  asked.__set_model(model);
  asked.__set_reference(version);
  asked.__set_outputs({"value"});
  asked.__set_inputs({tensorOf("a", {1}, {1, 1}), tensorOf("b", {2.5}, {1, 1})});
  parley::PredictResponse predicted;
  prediction.predict(predicted, asked);
  parley::PruneRequest prune;
  prune.__set_model(model);
  prune.__set_keep(0);
  prune.__set_dry_run(true);
  parley::PruneResponse pruned;
  registry.prune(pruned, prune);
  parley::HistoryRequest trail;
  trail.__set_model(model);
  parley::HistoryResponse history;
  registry.history(history, trail);
  return "{\"begun\":" + jsonOf(begun) + ",\"part\":" + jsonOf(part) + ",\"published\":" + jsonOf(published) +
         ",\"promoted\":" + jsonOf(promoted) + ",\"held\":" + jsonOf(held) + ",\"aliases\":" + jsonOf(aliases) +
         ",\"conflict\":" + conflict + ",\"released\":" + jsonOf(released) + ",\"predicted\":" + jsonOf(predicted) +
         ",\"pruned\":" + jsonOf(pruned) + ",\"history\":" + jsonOf(history) + '}';
}

std::string answers(const Connection& connection, const std::vector<Penguin>& rows) {
  penguins::PenguinsClient penguins(connection.of("Penguins"));
  parley::PredictionClient prediction(connection.of("Prediction"));
  parley::RegistryClient registry(connection.of("Registry"));
  parley::TrainingClient training(connection.of("Training"));
  parley::FeedbackClient feedback(connection.of("Feedback"));
  parley::OperationsClient operations(connection.of("Operations"));
  std::vector<penguins::Identified> many, none;
  penguins.identify_many(many, rows, parley::RequestContext());
  std::string json = "\"many\":" + jsonOf(many);
  Penguin giant = rows[1];
  giant.__set_bill_length_mm(4650);
  json += ",\"refused\":" + refusal([&] { penguins.identify_many(none, {rows[0], giant}, probing); });
  parley::DescribeRequest about;
  about.__set_model("walruses");
  about.__set_context(probing);
  parley::DescribeResponse described;
  json += ",\"not_found\":" + refusal([&] { prediction.describe(described, about); });
  json += ",\"unknown\":" + callUnknown(connection, operations);
  about.__set_model(TYPED);
  prediction.describe(described, about);
  parley::PredictRequest question;
  question.__set_model(TYPED);
  question.__isset.inputs = true;
  for (const parley::TensorSpec& spec : described.inputs) question.inputs.push_back(tensorOf(spec, rows));
  parley::PredictResponse predicted;
  prediction.predict(predicted, question);
  json += ",\"described\":" + jsonOf(described) + ",\"predicted\":" + jsonOf(predicted);
  parley::VersionsRequest all;
  all.__set_model(TYPED);
  parley::VersionsResponse versions;
  registry.list_versions(versions, all);
  parley::HistoryRequest trail;
  trail.__set_model(TYPED);
  parley::HistoryResponse history;
  registry.history(history, trail);
  parley::PingResponse ping;
  operations.ping(ping, parley::PingRequest());
  parley::ContractRequest wanted;
  wanted.__set_service_name("Penguins");
  parley::ContractResponse contract;
  operations.contract(contract, wanted);
  json += ",\"versions\":" + jsonOf(versions) + ",\"history\":" + jsonOf(history) + ",\"ping\":" + jsonOf(ping) +
          ",\"contract\":" + jsonOf(contract);
  parley::ListRunsRequest listing;
  listing.__set_context(probing);
  parley::ListRunsResponse runs;
  json += ",\"no_runs\":" + refusal([&] { training.list_runs(runs, listing); });
  parley::RecordLabelsRequest labels;
  labels.__set_context(probing);
  labels.__set_model(TYPED);
  parley::RecordLabelsResponse recorded;
  return json + ",\"no_labels\":" + refusal([&] { feedback.record_labels(recorded, labels); });
}

}  // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 5) return 2;
  probing.__set_request_id("probe");
  const std::vector<std::string> options(words + 5, words + count);
  const Connection connection = connect(words[1], options);
  const std::string token = valueOf(options, "token");
  if (!token.empty()) {
    // The connection is known by it from here on.
    parley::PingRequest shown;
    shown.context.__set_auth_token(token);
    shown.__isset.context = true;
    parley::PingResponse answer;
    parley::OperationsClient(connection.of("Operations")).ping(answer, shown);
  }
  const std::string typed = answers(connection, rowsOf(words[2]));
  std::cout << '{' << typed << ",\"registry\":" << publish(connection, read(words[3]), words[4]) << "}\n";
}
