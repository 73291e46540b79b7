// Writes what the stubs write as JSON: structs by their fields' names, enums as numbers, binary as base64.
#pragma once

#include <thrift/TBase.h>
#include <thrift/protocol/TVirtualProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include <cstdio>
#include <string>
#include <vector>

class JsonWriter : public apache::thrift::protocol::TVirtualProtocol<JsonWriter> {
  using TType = apache::thrift::protocol::TType;
  struct Level {
    char kind;
    int values;
  };
  std::vector<Level> levels_;

  uint32_t open(char kind, char bracket) {
    before();
    levels_.push_back({kind, 0});
    text += bracket;
    return 0;
  }
  uint32_t close(char bracket) {
    levels_.pop_back();
    text += bracket;
    return 0;
  }
  // What separates a value from the one before it. @returns whether it is a map's key
  bool before() {
    if (levels_.empty() || levels_.back().kind == 's') return false;
    Level& level = levels_.back();
    const bool value = level.kind == 'm' && level.values % 2 == 1;
    if (level.values > 0) text += value ? ':' : ',';
    level.values++;
    return level.kind == 'm' && !value;
  }
  uint32_t plain(const std::string& value) {
    if (before()) text += '"' + value + '"';
    else text += value;
    return 0;
  }
  uint32_t quoted(const std::string& value) {
    before();
    text += '"';
    for (const char unit : value) {
      char escaped[8];
      if (unit == '"' || unit == '\\' || (unit >= 0 && unit < ' ')) {
        std::snprintf(escaped, sizeof escaped, "\\u%04x", unit);
        text += escaped;
      } else text += unit;
    }
    text += '"';
    return 0;
  }

public:
  std::string text;

  // The base class asks its transport for a configuration, though nothing goes there.
  JsonWriter() : TVirtualProtocol<JsonWriter>(std::make_shared<apache::thrift::transport::TMemoryBuffer>()) {}

  uint32_t writeStructBegin(const char*) { return open('s', '{'); }
  uint32_t writeStructEnd() { return close('}'); }
  uint32_t writeFieldBegin(const char* name, const TType, const int16_t) {
    if (levels_.back().values++ > 0) text += ',';
    text += '"' + std::string(name) + "\":";
    return 0;
  }
  uint32_t writeFieldEnd() { return 0; }
  uint32_t writeFieldStop() { return 0; }
  uint32_t writeMapBegin(const TType, const TType, const uint32_t) { return open('m', '{'); }
  uint32_t writeMapEnd() { return close('}'); }
  uint32_t writeListBegin(const TType, const uint32_t) { return open('l', '['); }
  uint32_t writeListEnd() { return close(']'); }
  uint32_t writeSetBegin(const TType, const uint32_t) { return open('l', '['); }
  uint32_t writeSetEnd() { return close(']'); }
  uint32_t writeBool(const bool value) { return plain(value ? "true" : "false"); }
  uint32_t writeByte(const int8_t value) { return plain(std::to_string(value)); }
  uint32_t writeI16(const int16_t value) { return plain(std::to_string(value)); }
  uint32_t writeI32(const int32_t value) { return plain(std::to_string(value)); }
  uint32_t writeI64(const int64_t value) { return plain(std::to_string(value)); }
  uint32_t writeDouble(const double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.17g", value);
    return plain(digits);
  }
  uint32_t writeString(const std::string& value) { return quoted(value); }
  uint32_t writeBinary(const std::string& value) {
    static const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string coded;
    for (size_t i = 0; i < value.size(); i += 3) {
      uint32_t bits = 0;
      for (size_t k = 0; k < 3; k++) bits = bits << 8 | (i + k < value.size() ? uint8_t(value[i + k]) : 0);
      for (size_t k = 0; k < 4; k++) coded += i + k <= value.size() ? letters[bits >> (18 - 6 * k) & 63] : '=';
    }
    return quoted(coded);
  }
};

template <class Struct>
std::string jsonOf(const Struct& value) {
  JsonWriter writer;
  value.write(&writer);
  return writer.text;
}

template <class Struct>
std::string jsonOf(const std::vector<Struct>& values) {
  std::string text;
  for (const Struct& value : values) text += (text.empty() ? "" : ",") + jsonOf(value);
  return '[' + text + ']';
}
