"""Builds gen/ from proto/: Python stubs, their types, and the descriptor set that buf lints and compares.

The rules of protovalidate (buf/validate/validate.proto) come from the descriptor inside its wheel, so nothing is
downloaded. Stubs are built, never committed: they refuse to run beside a runtime other than the one they were made for.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb  # the only place the wheel keeps the descriptor

ROOT = Path(__file__).resolve().parent.parent
GEN = ROOT / "gen"
RULES = "buf/validate/validate.proto"


def write_rules_descriptor(target: Path) -> None:
    """Write the descriptor of protovalidate's rules, with the well-known files it imports, as a descriptor set."""
    well_known = [
        FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2)
    ]
    rules = FileDescriptorProto.FromString(validate_pb.desc().proto.to_binary())
    target.write_bytes(FileDescriptorSet(file=[*well_known, rules]).SerializeToString())


def protoc(*arguments: str) -> None:
    """Run the protoc of grpcio-tools; its messages go to the terminal. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True, cwd=ROOT)


def main() -> None:
    """Build everything into a fresh folder and swap it in, so that a failed build leaves the old stubs."""
    fresh = ROOT / "gen.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    rules = fresh / "rules.binpb"
    write_rules_descriptor(rules)
    sources = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    include = str(Path(grpc_tools.__file__).parent / "_proto")
    inputs = [f"--proto_path={ROOT / 'proto'}", f"--proto_path={include}", f"--descriptor_set_in={rules}"]
    tools = Path(sys.executable).parent
    outputs = [
        f"--python_out={fresh}",
        f"--grpc_python_out={fresh}",
        f"--plugin=protoc-gen-mypy={tools / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={tools / 'protoc-gen-mypy_grpc'}",
        f"--mypy_out=quiet:{fresh}",
        f"--mypy_grpc_out=quiet:{fresh}",
    ]
    image = [f"--descriptor_set_out={fresh / 'onggi.binpb'}", "--include_imports", "--include_source_info"]
    protoc(*inputs, *outputs, *sources, RULES)
    protoc(*inputs, *image, *sources)
    rules.unlink()
    shutil.rmtree(GEN, ignore_errors=True)
    fresh.rename(GEN)


if __name__ == "__main__":
    main()
