# gRPC, and Protobuf bodies over HTTP: ERGO_GRPC is on where the libraries are found. Without them
# src/serve/grpc/no_grpc/ stands in.
pkg_check_modules(GRPC IMPORTED_TARGET grpc++ protobuf)
find_program(ERGO_PROTOC protoc)
find_program(ERGO_GRPC_PLUGIN grpc_cpp_plugin)
if(GRPC_FOUND AND ERGO_PROTOC AND ERGO_GRPC_PLUGIN)
  set(found ON)
else()
  set(found OFF)
endif()
option(ERGO_GRPC "Serve gRPC and Protobuf (needs libgrpc++-dev, protobuf-compiler-grpc)" ${found})
if(ERGO_GRPC AND NOT found)
  message(FATAL_ERROR "ERGO_GRPC needs libgrpc++-dev, libprotobuf-dev and protobuf-compiler-grpc")
endif()

if(NOT ERGO_GRPC)
  set(ERGO_LEFT_OUT "/serve/grpc/[a-z_]+\\.cc$")
  add_library(ergo_proto INTERFACE)
  return()
endif()
set(ERGO_LEFT_OUT "/serve/grpc/no_grpc/")
set(proto ${CMAKE_SOURCE_DIR}/proto/ergo/v1/ergo.proto)
set(generated ${CMAKE_BINARY_DIR}/proto/ergo/v1/ergo)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/proto)
add_custom_command(
  OUTPUT ${generated}.pb.cc ${generated}.pb.h ${generated}.grpc.pb.cc ${generated}.grpc.pb.h
  COMMAND ${ERGO_PROTOC} -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${CMAKE_BINARY_DIR}/proto
          --grpc_out=${CMAKE_BINARY_DIR}/proto --plugin=protoc-gen-grpc=${ERGO_GRPC_PLUGIN} ${proto}
  DEPENDS ${proto} VERBATIM)
# Not our code: no warnings of ours.
# Macros that mean nothing here would keep precompiled headers out.
set_property(TARGET PkgConfig::GRPC PROPERTY INTERFACE_COMPILE_OPTIONS "")
add_library(ergo_proto STATIC ${generated}.pb.cc ${generated}.grpc.pb.cc)
target_compile_options(ergo_proto PRIVATE -w -O1)
target_include_directories(ergo_proto SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/proto)
target_link_libraries(ergo_proto PUBLIC PkgConfig::GRPC)
# Nothing refers to the library that answers reflection but its plug-in's initializer.
target_link_options(ergo_proto INTERFACE LINKER:--no-as-needed)
target_link_libraries(ergo_proto PUBLIC grpc++_reflection)
