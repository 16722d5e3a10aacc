#include <CLI/CLI.hpp>
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "controller/program/aiwanctl/commands.h"
#include "controller/program/aiwanctl/completion.h"

namespace wan::aiwanctl {
namespace {

using Words = std::vector<std::string>;

Words live(std::string_view kind) {
  if (kind == "links") return {"ams-fra", "west-1/ams-core7", "west-1/core7-ams"};
  if (kind == "nodes") return {"ams", "core7"};
  if (kind == "plans") return {"11", "12"};
  return {"40", "41"};
}

Suggestions complete(const Words& words) {
  std::ostringstream out, err;
  Session session{.out = out, .err = err};
  CLI::App app{"test"};
  describe_program(app, session);
  return suggest(app, words, live);
}

bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST_CASE("commands, kinds and options are completed from what they begin with", "[aiwanctl]") {
  CHECK(complete({"dra"}).words == Words{"drain"});
  CHECK(complete({"p"}).words == Words{"pause", "plan"});
  CHECK(complete({"get", "l"}).words == Words{"links"});
  CHECK(complete({"get", "links", ""}).words.empty());
  CHECK(complete({"get", "links", "-o", ""}).words == Words{"json", "names", "table", "wide", "yaml"});
  CHECK(complete({"get", "links", "--output=j"}).words == Words{"--output=json"});
  CHECK(complete({"mode", ""}).words == Words{"advise", "auto", "observe"});
  CHECK(complete({"completion", ""}).words == Words{"bash", "fish", "zsh"});
  const Words options = complete({"apply", "--"}).words;
  for (const char* option : {"--confirm-within", "--file", "--output", "--server", "--help", "--timeout"}) {
    CHECK(has(options, option));
  }
}

TEST_CASE("names of the network are completed where they are meant", "[aiwanctl]") {
  CHECK(complete({"describe", "link", "west"}).words == Words{"west-1/ams-core7", "west-1/core7-ams"});
  CHECK(complete({"describe", "plan", ""}).words == Words{"11", "12"});
  CHECK(complete({"drain", "west"}).words == Words{"west-1", "west-1/ams-core7", "west-1/core7-ams"});
  CHECK(complete({"undrain", "core"}).words == Words{"core7"});
  CHECK(complete({"simulate", "--scale", "1.2", "--down", "am"}).words == Words{"ams", "ams-fra"});
  CHECK(complete({"explain", ""}).words == Words{"40", "41", "latest"});
  CHECK(complete({"approve", ""}).words == Words{"40", "41"});
}

TEST_CASE("files are left to the shell", "[aiwanctl]") {
  for (const Words& words : {Words{"apply", ""}, Words{"apply", "-f", ""}, Words{"plan", "-f", "x", "-o", ""}}) {
    CHECK(complete(words) == Suggestions{.words = {}, .files = true});
  }
}

TEST_CASE("an option before the command, and its value, do not stand in the way", "[aiwanctl]") {
  CHECK(complete({"--server", "unix:/a", "dra"}).words == Words{"drain"});
  CHECK(complete({"--server=unix:/a", "get", "nod"}).words == Words{"nodes"});
  CHECK(complete({"get", "-o", "json", "nod"}).words == Words{"nodes"});
  CHECK(complete({"--server", ""}) == Suggestions{});
  CHECK(complete({"no-such-command", ""}) == Suggestions{});
  CHECK(complete({}) == Suggestions{});
}

TEST_CASE("every command and option can be completed", "[aiwanctl]") {
  std::ostringstream out, err;
  Session session{.out = out, .err = err};
  CLI::App app{"test"};
  describe_program(app, session);
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  CHECK(commands.size() > 15);
  for (const CLI::App* command : commands) {
    CHECK(has(complete({""}).words, command->get_name()));
    const Words offered = complete({command->get_name(), "-"}).words;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) CHECK(has(offered, "--" + name));
    }
  }
}

}  // namespace
}  // namespace wan::aiwanctl
