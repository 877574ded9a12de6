"""Structures defined, encoded in DER, BER and CER, decoded, printed, and refused."""

from __future__ import annotations

from pyasn1 import error
from pyasn1.codec.ber import decoder as ber_decoder
from pyasn1.codec.ber import encoder as ber_encoder
from pyasn1.codec.cer import encoder as cer_encoder
from pyasn1.codec.der import decoder, encoder
from pyasn1.codec.native import encoder as native
from pyasn1.type import char, constraint, namedtype, namedval, tag, univ, useful


class Colour(univ.Enumerated):
    namedValues = namedval.NamedValues(("red", 1), ("blue", 2))


class Record(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType(
            "id", univ.Integer().subtype(subtypeSpec=constraint.ValueRangeConstraint(0, 1 << 70))
        ),
        namedtype.OptionalNamedType(
            "name",
            char.UTF8String().subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 0)),
        ),
        namedtype.DefaultedNamedType("colour", Colour("red")),
        namedtype.NamedType("numbers", univ.SequenceOf(componentType=univ.Real())),
        namedtype.OptionalNamedType("oid", univ.ObjectIdentifier()),
    )


def main() -> None:
    record = Record()
    record["id"] = 1 << 65
    record["name"] = "size"
    record["numbers"].extend([1.5, -2.25])
    record["oid"] = "1.2.840.113549.1"
    data = encoder.encode(record)
    print(
        data.hex(),
        ber_encoder.encode(record, defMode=False, maxChunkSize=4).hex(),
        cer_encoder.encode(record).hex(),
    )
    back, rest = decoder.decode(data + b"xx", asn1Spec=Record())
    print(encoder.encode(back) == data, rest, back.prettyPrint(), native.encode(back))
    print(
        ber_decoder.decode(ber_encoder.encode(record, defMode=False), asn1Spec=Record())[0]["name"],
        decoder.decode(data)[0].prettyPrint(),
    )
    print(
        univ.BitString("1011") << 2,
        univ.OctetString(hexValue="ff00").asNumbers(),
        useful.GeneralizedTime.fromDateTime(__import__("datetime").datetime(2026, 1, 2)),
    )
    for action in (
        lambda: record.setComponentByName("id", -1),
        lambda: decoder.decode(data[:5], asn1Spec=Record()),
        lambda: univ.ObjectIdentifier("1.x"),
        lambda: encoder.encode(Record()),
    ):
        try:
            action()
        except error.PyAsn1Error as problem:
            print(type(problem).__name__, str(problem)[:60])
