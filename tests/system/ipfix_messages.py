"""A strict reader of IPFIX messages (RFC 7011), written apart from the program it checks."""
import ipaddress, struct

ADDRESSES = {8: "source", 12: "destination", 27: "source", 28: "destination"}
NUMBERS = {1: "ip_bytes", 2: "packets", 4: "protocol", 5: "traffic_class", 6: "tcp_flags", 7: "source_port",
           11: "destination_port", 60: "ip_version", 136: "end", 152: "first_ms", 153: "last_ms"}


def split_file(data):
    """The messages that follow one another in a file."""
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">H", data, at + 2)
        assert length >= 16, f"message of {length} bytes at {at}"
        assert at + length <= len(data), "the file ends inside a message"
        yield data[at:at + length]
        at += length


class Stream:
    """Messages of one exporter in order; any breach of the format or the sequence rule is an AssertionError."""

    def __init__(self):
        self.templates, self.records, self.messages, self.template_sets = {}, [], 0, 0

    def receive(self, message):
        version, length, _time, sequence, _domain = struct.unpack_from(">HHIII", message)
        assert version == 10 and length == len(message), (version, length, len(message))
        assert sequence == len(self.records) % 2**32, f"sequence {sequence} after {len(self.records)} records"
        self.messages += 1
        at = 16
        while at < len(message):
            number, size = struct.unpack_from(">HH", message, at)
            assert size > 4 and at + size <= len(message), f"set {number} of {size} bytes"
            body = message[at + 4:at + size]
            if number == 2:
                self.template_sets += 1
                self._templates(body)
            else:
                assert number in self.templates, f"data of template {number} before the template"
                self._data(self.templates[number], body)
            at += size

    def _templates(self, body):
        at = 0
        while at < len(body):
            number, count = struct.unpack_from(">HH", body, at)
            assert number > 255 and count > 0
            fields = [struct.unpack_from(">HH", body, at + 4 + 4 * n) for n in range(count)]
            assert self.templates.setdefault(number, fields) == fields, "a template changed its meaning"
            at += 4 + 4 * count

    def _data(self, fields, body):
        size = sum(length for _, length in fields)
        assert len(body) % size == 0, f"{len(body)} bytes of records of {size}"
        for at in range(0, len(body), size):
            record = {}
            for element, length in fields:
                value = body[at:at + length]
                at += length
                if element in ADDRESSES:
                    record[ADDRESSES[element]] = ipaddress.ip_address(value)
                else:
                    record[NUMBERS[element]] = int.from_bytes(value, "big")
            self.records.append(record)


def read_file(path):
    stream = Stream()
    for message in split_file(path.read_bytes()):
        stream.receive(message)
    return stream
