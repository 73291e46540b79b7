// Asks a Parley server which species a penguin is, through stubs that the Thrift compiler made from penguins.thrift.
//
//   client HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]
//
// With --rows, each line of the file is a penguin, and each answer is printed as a line of JSON.
//
// What to know about Thrift for C++:
//   - Compiler and library must be of the same version; on Debian, thrift-compiler and libthrift-dev (which needs
//     libboost-dev) are.
//   - Without setRecvTimeout and setSendTimeout, a server that went away is waited for.
//   - Optional fields are told by __isset; set them with __set_NAME, since assigning alone does not send them.
//   - TSSLSocket writes without MSG_NOSIGNAL: ignore SIGPIPE, or a connection that ended ends the program.
//   - One client takes one call at a time, and is not for several threads at once. After a timeout its connection must
//     be closed, since the late reply would be taken for the next call's.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <regex>
#include <sstream>
#include <vector>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/TMultiplexedProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSSLSocket.h>
#include <thrift/transport/TSocket.h>

#include "Penguins.h"

using namespace apache::thrift;
using penguins::Identified;
using penguins::Penguin;
using penguins::PenguinsClient;

namespace {

constexpr int TIMEOUT_MS = 5000;

struct Options {
  std::string host, authority, token, rows;
  int port = 0;
  bool compact = false, multiplexed = false;
};

bool parse(const std::vector<std::string>& words, Options& options) {
  for (size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    const size_t colon = word.rfind(':');
    if (word == "compact") options.compact = true;
    else if (word == "multiplexed") options.multiplexed = true;
    else if (word == "--ca" && i + 1 < words.size()) options.authority = words[++i];
    else if (word == "--token" && i + 1 < words.size()) options.token = words[++i];
    else if (word == "--rows" && i + 1 < words.size()) options.rows = words[++i];
    else if (options.port == 0 && colon != std::string::npos) {
      options.host = word.substr(0, colon);
      options.port = std::atoi(word.c_str() + colon + 1);
    } else return false;
  }
  return options.port != 0;
}

// With an authority it is TLS: the server must show a certificate of it, for this host.
std::shared_ptr<transport::TSocket> socketTo(const Options& options) {
  if (options.authority.empty()) return std::make_shared<transport::TSocket>(options.host, options.port);
  transport::TSSLSocketFactory factory;
  factory.loadTrustedCertificates(options.authority.c_str());
  factory.authenticate(true);
  return factory.createSocket(options.host, options.port);
}

// Framed is what the server speaks; the protocol is the caller's choice, and the server answers in the same.
std::shared_ptr<protocol::TProtocol> connect(const Options& options) {
  auto socket = socketTo(options);
  socket->setConnTimeout(TIMEOUT_MS);
  socket->setRecvTimeout(TIMEOUT_MS);
  socket->setSendTimeout(TIMEOUT_MS);
  auto framed = std::make_shared<transport::TFramedTransport>(socket);
  framed->open();
  std::shared_ptr<protocol::TProtocol> protocol;
  if (options.compact) protocol = std::make_shared<protocol::TCompactProtocol>(framed);
  else protocol = std::make_shared<protocol::TBinaryProtocol>(framed);
  // Plain names reach the server's default service; "Penguins:identify" is there in any case.
  if (options.multiplexed) protocol = std::make_shared<protocol::TMultiplexedProtocol>(protocol, "Penguins");
  return protocol;
}

// Optional: an id to find the call by in the server's log, how long an answer is of use, and who asks.
parley::RequestContext context(const Options& options, const std::string& requestId) {
  parley::RequestContext context;
  context.__set_request_id(requestId);
  context.__set_timeout_ms(TIMEOUT_MS);
  if (!options.token.empty()) context.__set_auth_token(options.token);
  return context;
}

Penguin penguin(double billLength, double billDepth, double flipperLength, double mass, const std::string& island) {
  Penguin made;
  made.__set_bill_length_mm(billLength);
  made.__set_bill_depth_mm(billDepth);
  made.__set_flipper_length_mm(flipperLength);
  made.__set_body_mass_g(mass);
  made.__set_island(island);
  return made;
}

const char* nameOf(penguins::Species::type species) { return penguins::_Species_VALUES_TO_NAMES.at(species); }
const char* nameOf(parley::ErrorCode::type code) { return parley::_ErrorCode_VALUES_TO_NAMES.at(code); }

void show(const char* verb, const Identified& answer) {
  const parley::Provenance& source = answer.provenance;
  std::printf("%s: %s (%.4f), says %s %.12s, prediction %s\n", verb, nameOf(answer.species), answer.confidence,
              source.model.c_str(), source.version.c_str(), source.prediction_id.c_str());
}

void demonstrate(PenguinsClient& client, const Options& options) {
  Penguin torgersen = penguin(39.1, 18.7, 181, 3750, "Torgersen");
  torgersen.__set_sex("MALE");
  Identified answer;
  client.identify(answer, torgersen, context(options, "one"));
  show("identify", answer);

  Penguin dream = penguin(46.5, 17.9, 192, 3500, "Dream");
  dream.__set_sex("FEMALE");
  // Nobody knows this one's sex, which the contract allows.
  const Penguin biscoe = penguin(46.1, 13.2, 211, 4500, "Biscoe");
  std::vector<Identified> answers;
  client.identify_many(answers, {dream, biscoe}, context(options, "two"));
  for (const Identified& each : answers) show("identify_many", each);

  torgersen.__set_bill_length_mm(4650);
  try {
    client.identify(answer, torgersen, context(options, "three"));
  } catch (const parley::ParleyError& error) {
    std::printf("refused: %s, retryable: %s\n", nameOf(error.code), error.retryable ? "true" : "false");
    for (const parley::Problem& problem : error.problems)
      std::printf("  %s %s, got %s\n", problem.path.c_str(), problem.message.c_str(), problem.got.c_str());
  }
}

// A flat JSON object of numbers and plain strings; a program of your own would take a JSON library.
Penguin penguinOf(const std::string& json) {
  static const std::regex member("\"(\\w+)\":\\s*(?:\"([^\"]*)\"|([-+.\\deE]+))");
  Penguin row;
  for (std::sregex_iterator found(json.begin(), json.end(), member), end; found != end; ++found) {
    const std::string name = (*found)[1], text = (*found)[2];
    const double number = std::atof((*found)[3].str().c_str());
    if (name == "bill_length_mm") row.__set_bill_length_mm(number);
    else if (name == "bill_depth_mm") row.__set_bill_depth_mm(number);
    else if (name == "flipper_length_mm") row.__set_flipper_length_mm(number);
    else if (name == "body_mass_g") row.__set_body_mass_g(number);
    else if (name == "island") row.__set_island(text);
    else if (name == "sex") row.__set_sex(text);
  }
  return row;
}

std::string answerRow(PenguinsClient& client, const Options& options, const Penguin& row) {
  std::ostringstream line;
  line << std::setprecision(17);
  const char* between = "";
  try {
    Identified answer;
    client.identify(answer, row, options.token.empty() ? parley::RequestContext() : context(options, "row"));
    line << "{\"label\":\"" << nameOf(answer.species) << "\",\"probabilities\":{";
    for (const auto& entry : answer.probability) {
      line << between << '"' << nameOf(entry.first) << "\":" << entry.second;
      between = ",";
    }
    line << "},\"version\":\"" << answer.provenance.version << "\",\"prediction_id\":\""
         << answer.provenance.prediction_id << "\"}";
  } catch (const parley::ParleyError& error) {
    line << "{\"error\":{\"code\":\"" << nameOf(error.code) << "\",\"problems\":[";
    for (const parley::Problem& problem : error.problems) {
      line << between << "{\"path\":" << std::quoted(problem.path) << ",\"message\":" << std::quoted(problem.message)
           << '}';
      between = ",";
    }
    line << "]}}";
  }
  return line.str();
}

}  // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  if (!parse({words + 1, words + count}, options)) {
    std::cerr << "usage: client HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]\n";
    return 2;
  }
  try {
    PenguinsClient client(connect(options));
    if (options.rows.empty()) {
      demonstrate(client, options);
      return 0;
    }
    std::ifstream rows(options.rows);
    for (std::string line; std::getline(rows, line);)
      std::cout << answerRow(client, options, penguinOf(line)) << '\n';
  } catch (const transport::TTransportException& error) {
    std::cerr << "error: no server answers at " << options.host << ':' << options.port << ": " << error.what() << '\n';
    return 1;
  }
}
