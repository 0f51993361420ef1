# Files as string views (base/embedded_file.h) in a generated source, read when the program is built.
#   ergo_embed(OUTPUT FILE.cc FOLDER DIR HEADER "x/embedded.h" NAMESPACE ergo::x FUNCTION Files PATTERNS *.txt …)
# defines `std::span<const ergo::EmbeddedFile> NAMESPACE::FUNCTION()` as HEADER declares it; paths are
# relative to FOLDER.
function(ergo_embed)
  cmake_parse_arguments(EMBED "" "OUTPUT;FOLDER;HEADER;FUNCTION;NAMESPACE" "PATTERNS" ${ARGN})
  set(globs ${EMBED_PATTERNS})
  list(TRANSFORM globs PREPEND ${EMBED_FOLDER}/)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${globs})
  add_custom_command(
    OUTPUT ${EMBED_OUTPUT}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${EMBED_OUTPUT} -DFOLDER=${EMBED_FOLDER}
            -DHEADER=${EMBED_HEADER} -DFUNCTION=${EMBED_FUNCTION} -DNAMESPACE=${EMBED_NAMESPACE}
            "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake VERBATIM)
endfunction()
