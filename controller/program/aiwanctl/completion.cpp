#include "controller/program/aiwanctl/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>

namespace wan::aiwanctl {
namespace {

constexpr std::string_view kBash = R"script(# bash completion of aiwanctl
_aiwanctl() {
  local -a words
  local line current=${COMP_WORDS[COMP_CWORD]}
  read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
  [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  [[ $current == [:=] ]] && current=
  local whole=${words[-1]}
  local ahead=${whole%"$current"} # of a : or =, where bash begins a new word
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("${line#"$ahead"}")
    fi
  done < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _aiwanctl aiwanctl
)script";

constexpr std::string_view kZsh = R"script(#compdef aiwanctl
# zsh completion of aiwanctl
_aiwanctl() {
  local line
  local -a found
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ -n $line ]]; then
      found+=("$line")
    fi
  done
  (( $#found )) && compadd -- "${found[@]}"
}
if [[ ${funcstack[1]} == _aiwanctl ]]; then
  _aiwanctl "$@"
else
  compdef _aiwanctl aiwanctl
fi
)script";

constexpr std::string_view kFish = R"script(# fish completion of aiwanctl
function __aiwanctl_complete
  set -l words (commandline -opc)
  set -l program $words[1]
  set -e words[1]
  set -l current (commandline -ct)
  for line in ($program __complete $words "$current" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c aiwanctl -f -a '(__aiwanctl_complete)'
)script";

const auto kAll = [](const auto*) { return true; };

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0 && option.get_type_size() != 0;
}

const CLI::Option* option_named(const CLI::App& app, std::string_view name) {
  for (const CLI::Option* option : app.get_options(kAll)) {
    if (!option->get_positional() && option->check_name(std::string{name})) return option;
  }
  return nullptr;
}

const CLI::App* command_named(const CLI::App& app, std::string_view name) {
  for (const CLI::App* command : app.get_subcommands(kAll)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

/// A command line up to the word to complete.
struct Place {
  const CLI::App* command = nullptr;            ///< null: none named yet
  std::vector<std::string> given;               ///< the command's arguments that are no options
  const CLI::Option* awaiting_value = nullptr;  ///< the option just before
  bool lost = false;                            ///< there is no such command
};

Place place_after(const CLI::App& app, std::span<const std::string> words) {
  Place place;
  for (const std::string& word : words) {
    if (place.lost) break;
    if (place.awaiting_value != nullptr) {
      place.awaiting_value = nullptr;
    } else if (word.size() > 1 && word.front() == '-') {
      if (word.find('=') != std::string::npos) continue;
      const CLI::Option* option = place.command != nullptr ? option_named(*place.command, word) : nullptr;
      if (option == nullptr) option = option_named(app, word);
      if (option != nullptr && takes_value(*option)) place.awaiting_value = option;
    } else if (place.command == nullptr) {
      place.command = command_named(app, word);
      if (place.command == nullptr) place.lost = true;
    } else {
      place.given.push_back(word);
    }
  }
  return place;
}

/// `a`, `b` of `TEXT:{a,b}`.
std::vector<std::string> choices_of(const std::string& type) {
  std::vector<std::string> choices;
  const std::size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return choices;
  for (std::size_t begin = open + 1; begin < close;) {
    const std::size_t end = std::min(type.find(',', begin), close);
    choices.push_back(type.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

void add(std::vector<std::string>& to, std::vector<std::string> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

/// Full names, and the name before the / that stands for both directions.
std::vector<std::string> links_and_nodes(const LiveNames& live_names) {
  std::vector<std::string> names = live_names("links");
  for (std::size_t at = 0, count = names.size(); at < count; ++at) {
    const std::size_t slash = names[at].find('/');
    if (slash != std::string::npos) names.push_back(names[at].substr(0, slash));
  }
  add(names, live_names("nodes"));
  return names;
}

Suggestions values_of(const CLI::Option& option, const Place& place, const LiveNames& live_names) {
  const std::string type = option.get_type_name();
  Suggestions found{.words = choices_of(type), .files = type.starts_with("FILE")};
  if (type.starts_with("LINK|NODE")) found.words = links_and_nodes(live_names);
  if (type.starts_with("DECISION")) {
    found.words = live_names("decisions");
    if (place.command->get_name() == "explain") found.words.insert(found.words.begin(), "latest");
  }
  if (type.starts_with("NAME") && !place.given.empty()) found.words = live_names(place.given.front() + "s");
  return found;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options(kAll)) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Suggestions all_for(const CLI::App& app, const Place& place, std::string_view word, const LiveNames& live_names) {
  Suggestions found;
  if (place.awaiting_value != nullptr) return values_of(*place.awaiting_value, place, live_names);
  if (word.starts_with('-')) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      found.words = options_of(app);
      if (place.command != nullptr) add(found.words, options_of(*place.command));
      return found;
    }
    const std::string_view name = word.substr(0, equals);
    const CLI::Option* option = place.command != nullptr ? option_named(*place.command, name) : nullptr;
    if (option == nullptr) option = option_named(app, name);
    if (option == nullptr || !takes_value(*option)) return found;
    for (const std::string& value : values_of(*option, place, live_names).words) {
      found.words.push_back(std::string{name}.append("=").append(value));
    }
    return found;
  }
  if (place.command == nullptr) {
    for (const CLI::App* command : app.get_subcommands(kAll)) found.words.push_back(command->get_name());
    return found;
  }
  std::vector<const CLI::Option*> positionals;
  for (const CLI::Option* option : place.command->get_options(kAll)) {
    if (option->get_positional()) positionals.push_back(option);
  }
  if (place.given.size() < positionals.size()) found = values_of(*positionals[place.given.size()], place, live_names);
  return found;
}

}  // namespace

Suggestions suggest(const CLI::App& app, std::span<const std::string> words, const LiveNames& live_names) {
  if (words.empty()) return {};
  const std::string& word = words.back();
  const Place place = place_after(app, words.first(words.size() - 1));
  if (place.lost) return {};
  Suggestions found = all_for(app, place, word, live_names);
  std::erase_if(found.words, [&](const std::string& candidate) { return !candidate.starts_with(word); });
  std::sort(found.words.begin(), found.words.end());
  found.words.erase(std::unique(found.words.begin(), found.words.end()), found.words.end());
  return found;
}

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : shell == "fish" ? kFish : std::string_view{};
}

}  // namespace wan::aiwanctl
