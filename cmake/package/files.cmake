# cmake -P files.cmake: what the Debian package holds beside the programs, laid out below OUT as below /usr.
# Variables: SOURCE (the project), BIN (its programs), OUT, VERSION, PYTHON.
set(man ${SOURCE}/docs/man)
file(REMOVE_RECURSE ${OUT})

function(must_run output)
  execute_process(COMMAND ${ARGN} OUTPUT_FILE ${output} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${status}")
  endif()
endfunction()

function(compress file)
  must_run(/dev/null gzip -9 -n -f ${file})
endfunction()

foreach(program aiwanctl:1 aiwan-sim:1 aiwan-models:1 aiwand:8 aiwan-dataplane:8)
  string(REGEX MATCH "^(.*):(.*)$" _ ${program})
  set(page ${OUT}/share/man/man${CMAKE_MATCH_2}/${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
  file(MAKE_DIRECTORY ${OUT}/share/man/man${CMAKE_MATCH_2})
  must_run(${page} ${PYTHON} -B ${man}/program_page.py ${BIN}/${CMAKE_MATCH_1} ${CMAKE_MATCH_2} ${VERSION}
           ${man}/${CMAKE_MATCH_1}.extra)
  compress(${page})
endforeach()

file(MAKE_DIRECTORY ${OUT}/share/man/man5)
foreach(format aiwand-config:aiwand.yaml network:network.yaml node-config:node.yaml policy:policies.yaml)
  string(REGEX MATCH "^(.*):(.*)$" _ ${format})
  set(page ${OUT}/share/man/man5/${CMAKE_MATCH_2}.5)
  must_run(${page} ${PYTHON} -B ${man}/format_page.py ${SOURCE}/docs/formats/${CMAKE_MATCH_1}.md ${CMAKE_MATCH_2} 5 ${VERSION})
  compress(${page})
endforeach()

foreach(script bash:bash-completion/completions/aiwanctl zsh:zsh/vendor-completions/_aiwanctl
        fish:fish/vendor_completions.d/aiwanctl.fish)
  string(REGEX MATCH "^(.*):(.*)$" _ ${script})
  get_filename_component(folder ${OUT}/share/${CMAKE_MATCH_2} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  must_run(${OUT}/share/${CMAKE_MATCH_2} ${BIN}/aiwanctl completion ${CMAKE_MATCH_1})
endforeach()

set(doc ${OUT}/share/doc/aiwan)
file(MAKE_DIRECTORY ${doc}/formats)
file(COPY ${SOURCE}/cmake/package/copyright DESTINATION ${doc})
file(COPY ${SOURCE}/cmake/package/examples DESTINATION ${doc})
file(COPY ${SOURCE}/simulator/scenarios DESTINATION ${doc}/examples)
file(GLOB formats ${SOURCE}/docs/formats/*.md)
file(COPY ${formats} DESTINATION ${doc}/formats)
configure_file(${SOURCE}/cmake/package/changelog.in ${doc}/changelog.Debian @ONLY)
file(COPY_FILE ${SOURCE}/CHANGELOG.md ${doc}/changelog)
compress(${doc}/changelog.Debian)
compress(${doc}/changelog)

set(schemas ${OUT}/share/aiwan/schemas)
file(MAKE_DIRECTORY ${schemas})
file(COPY ${SOURCE}/controller/policy.schema.json ${SOURCE}/simulator/scenarios/scenario.schema.json
     ${SOURCE}/controller/program/aiwanctl/answers.schema.json ${SOURCE}/controller/program/aiwand/openapi.yaml
     DESTINATION ${schemas})
