"""A row packed for sealing comes back as it was."""

from __future__ import annotations

from datetime import date

from schemas.row import Identity, MeterType, ResidentRow, SafeContact


def test_a_row_survives_packing() -> None:
    """Defaults are left out of the pack and found again."""
    row = ResidentRow(
        reference="T-1",
        given_name="Ada",
        family_name="Okonkwo",
        date_of_birth=date(1980, 2, 29),
        address_line_1="1 Example Road",
        postcode="LS1 4AB",
        meter_type=MeterType.PREPAY_KEY,
        energy_supplier="british_gas",
        worker="W1",
        resident_told=True,
        off_supply=True,
        mobile="+447700900123",
        safe_contact=SafeContact.SMS_NEUTRAL,
    )
    assert ResidentRow.unpack(row.pack()) == row
    assert row.outcode == "LS1"
    identity = Identity.of(row)
    assert Identity.unpack(identity.pack()) == identity
    assert identity.mobile == "+447700900123"
