#include "models/model_file.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "core/digest.h"

namespace wan::models {
namespace {

constexpr std::string_view kMagic = "AIWANW01";
constexpr std::size_t kArraysMax = 64;

void put_little_endian(std::uint64_t value, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

/// Takes bytes off the front of a text; every take is checked against what is left.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_{bytes} {}

  [[nodiscard]] std::optional<std::string_view> take(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  [[nodiscard]] std::optional<std::uint64_t> take_little_endian(std::size_t bytes) {
    const auto taken = take(bytes);
    if (!taken) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = (value << 8) | static_cast<unsigned char>((*taken)[i]);
    return value;
  }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

std::optional<NamedArray> take_array(ByteReader& reader) {
  const auto name_length = reader.take_little_endian(1);
  if (!name_length) return std::nullopt;
  const auto name = reader.take(*name_length);
  const auto count = reader.take_little_endian(8);
  if (!name || !count || *count > reader.left() / sizeof(float)) return std::nullopt;
  NamedArray array{.name = std::string{*name}, .values = {}};
  array.values.reserve(*count);
  for (std::uint64_t i = 0; i < *count; ++i) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(*reader.take_little_endian(4)));
    if (!std::isfinite(value)) return std::nullopt;
    array.values.push_back(value);
  }
  return array;
}

}  // namespace

std::string format_weights(std::span<const NamedArray> arrays) {
  assert(arrays.size() <= kArraysMax);
  std::string bytes{kMagic};
  put_little_endian(arrays.size(), 4, bytes);
  for (const NamedArray& array : arrays) {
    assert(array.name.size() < 256);
    put_little_endian(array.name.size(), 1, bytes);
    bytes += array.name;
    put_little_endian(array.values.size(), 8, bytes);
    for (const float value : array.values) put_little_endian(std::bit_cast<std::uint32_t>(value), 4, bytes);
  }
  return bytes;
}

Result<std::vector<NamedArray>> parse_weights(std::string_view bytes, std::string_view name) {
  const auto bad = [&](std::string_view what) {
    return fail(ErrorCode::kBadInput, std::string{name} + ": " + std::string{what});
  };
  ByteReader reader{bytes};
  if (reader.take(kMagic.size()) != kMagic) return bad("not a file of model weights");
  const auto count = reader.take_little_endian(4);
  if (!count || *count > kArraysMax) return bad("damaged: no sensible number of arrays");
  std::vector<NamedArray> arrays;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto array = take_array(reader);
    if (!array) return bad("damaged: array " + std::to_string(i + 1) + " is cut short or not finite");
    arrays.push_back(*std::move(array));
  }
  if (reader.left() != 0) return bad("damaged: bytes after the last array");
  return arrays;
}

std::string digest_of_bytes(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.hex();
}

Result<std::string> read_model_file(const std::filesystem::path& file, std::size_t bytes_max) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return fail(ErrorCode::kNotFound, file.string() + ": no such file");
  if (!std::filesystem::is_regular_file(file, error)) return fail(ErrorCode::kIo, file.string() + ": not a file");
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) return fail(ErrorCode::kIo, file.string() + ": " + error.message());
  if (size > bytes_max) return fail(ErrorCode::kBadInput, file.string() + ": too long for a file of a model");
  std::ifstream stream{file, std::ios::binary};
  std::string bytes(static_cast<std::size_t>(size), '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!stream) return fail(ErrorCode::kIo, file.string() + ": cannot be read");
  return bytes;
}

Result<void> write_model_file(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::path fresh = file;
  fresh += ".new";
  {
    std::ofstream stream{fresh, std::ios::binary | std::ios::trunc};
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.flush();
    if (!stream) return fail(ErrorCode::kIo, fresh.string() + ": cannot be written");
  }
  std::error_code error;
  std::filesystem::rename(fresh, file, error);
  if (error) return fail(ErrorCode::kIo, file.string() + ": " + error.message());
  return {};
}

}  // namespace wan::models
