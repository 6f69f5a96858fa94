"""Reading what pharmacies submit: the ASAP standard for monitoring programmes.

Pure: bytes in, records and problems out; no database, no clock, no files.

    from pmp import asap

    with open(path, "rb") as stream:
        reading = asap.read(iter(lambda: stream.read(asap.CHUNK), b""), today=today)
        for record in reading:            # asap.Record, in file order, as it is read
            ...
    reading.refused                       # nothing of the file may be stored

`read(chunks, *, today, programme)` never raises for what the bytes contain and holds
one chunk in memory, however large the file is.  Each DSP segment becomes exactly one
`Record`; `record.problems` are its errors (`record.held`: it waits for a correction)
and warnings.  Only when the reading is exhausted are these known:

    reading.version       “4.2B”: of the first transaction, “” if none was found
    reading.transactions  list[Transaction]: number, control_number, version, test,
                          refused, segments, records, pharmacies, sender_id, sender
    reading.pharmacies    list[Pharmacy], the different ones, at most ten thousand
    reading.test          TH07 is T: checked and reported, never to be stored
    reading.problems      list[Problem] of the file, at most some thousand; those of
                          records are on the records, fatal ones here too
    reading.encoding      “utf-8”, “utf-8-sig”, “cp1252”, “utf-16-le”, “utf-16-be”: what
                          decodes the bytes; see Problem for what offsets count then
    reading.refused       a fatal problem was found
    reading.counts        Counts: read, good, held, duplicate, zero_reports,
                          warned (good, with a warning)
    reading.verdict       “accepted”, “accepted_with_problems” or “refused”
    reading.sha256        of the bytes

`programme` (a `Programme`) says which versions are accepted, which elements must be
filled and how grave each rule is; `catalogue.entries()` tells what each code means and
what may be made of it.

A FATAL problem refuses the whole file, and it can stand at the very end (a cut
transfer).  So read once to know `reading.refused` and `reading.test`, and a second
time to store; `transaction.refused` tells in which transaction the fault is.

`record.elements` maps “PAT07” to its text, blanks trimmed, empty elements left out,
the PHA of the record included; the second CDI of a record has “CDI03.2”.  A Social
Security number in it is replaced by asterisks.  `recheck(elements, version=, today=,
programme=)` checks such a mapping again, as a page that corrects a record needs it.
`elements.layout(version)` gives names and lengths for such a page, `elements.label`
the name of one element.

What needs a register is not judged here: whether the product, the prescriber or the
pharmacy exists, whether a revise or void finds its record, whether the file came
before.  `duplicate` counts records equal to one of the last fifty thousand.

Where no terminator stands between two segments, F04 says so and points there, and the
text is read as two: the file is refused for that alone.
"""

from pmp.asap.dispensing import (
    Dispensing,
    Ingredient,
    PatientIdentity,
    Pharmacy,
    Prescriber,
    Status,
    ZeroReport,
)
from pmp.asap.elements import Use
from pmp.asap.problems import Gravity, Problem, Severity
from pmp.asap.programme import USUAL, Programme
from pmp.asap.reader import CHUNK, Reading, read
from pmp.asap.records import Counts, Record, Transaction, recheck

__all__ = [
    "CHUNK",
    "USUAL",
    "Counts",
    "Dispensing",
    "Gravity",
    "Ingredient",
    "PatientIdentity",
    "Pharmacy",
    "Prescriber",
    "Problem",
    "Programme",
    "Reading",
    "Record",
    "Severity",
    "Status",
    "Transaction",
    "Use",
    "ZeroReport",
    "read",
    "recheck",
]
