"""The words partners use for choices, and the choices we take them for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from schemas.row import Action, MeterType, SafeContact


def _listed(names: str) -> list[str]:
    return names.split(",")


YES = frozenset(_listed("yes,y,true,t,1,x,ok,agreed,done,✓,✔,☑"))
NO = frozenset(_listed("no,n,false,f,0,none,nil,☐"))

_P, _S = MeterType.PREPAY_KEY, MeterType.PREPAY_SMART
METER_TYPES: Mapping[str, MeterType] = {
    **{kind.value.replace("_", " "): kind for kind in MeterType},
    **dict.fromkeys(
        _listed(
            "key,key meter,card,card meter,token,token meter,prepay card,prepayment key"
            ","
            "prepayment card,prepay token,key card,traditional prepay,"
            "non smart prepay,standard prepay"
        ),
        _P,
    ),
    **dict.fromkeys(
        _listed(
            "smart prepay,smart prepayment,prepayment smart,smart ppm,smart payg,"
            "smart pay as you go,smart meter prepay,smart meter prepayment,"
            "prepay smart meter,prepayment smart meter,smart prepayment meter"
        ),
        _S,
    ),
    **dict.fromkeys(
        _listed(
            "credit meter,bill,bills,billed,pay by bill,direct debit,dd,quarterly bill,"
            "monthly bill,standard credit,pay monthly,smart credit"
        ),
        MeterType.CREDIT,
    ),
    **dict.fromkeys(
        _listed("heat,district heating,communal heating,heat meter,heating network"),
        MeterType.HEAT_NETWORK,
    ),
    **dict.fromkeys(
        _listed(
            "oil,heating oil,lpg,coal,wood,solid fuel,bottled gas,off gas grid,no meter"
        ),
        MeterType.OFF_GRID,
    ),
}
#: Prepay, but key or smart is not said; a key meter is the usual one.
PREPAY_UNSAID = frozenset(
    _listed(
        "prepay,pre pay,prepaid,pre paid,prepayment,pre payment,prepayment meter,"
        "pre payment meter,prepay meter,ppm,payg,pay as you go,top up,topup"
    )
)

SAFE_CONTACTS: Mapping[str, SafeContact] = {
    **{kind.value.replace("_", " "): kind for kind in SafeContact},
    **dict.fromkeys(_listed("sms,text,text ok,ok,yes,ok to text"), SafeContact.SMS_OK),
    **dict.fromkeys(
        _listed("neutral,neutral text,neutral sms,discreet"), SafeContact.SMS_NEUTRAL
    ),
    **dict.fromkeys(
        _listed(
            "partner,worker,worker only,via worker,via partner,through worker,no text,"
            "do not text,no sms,not safe,no"
        ),
        SafeContact.PARTNER_ONLY,
    ),
    **dict.fromkeys(_listed("no contact,do not contact,nobody"), SafeContact.NONE),
}

ACTIONS: Mapping[str, Action] = {
    **{kind.value: kind for kind in Action},
    **dict.fromkeys(_listed("new,a"), Action.ADD),
    **dict.fromkeys(_listed("correction,update,amend,change,c"), Action.CORRECT),
    **dict.fromkeys(_listed("withdrawn,cancel,remove,delete,w"), Action.WITHDRAW),
}

#: What a medical cell may say beyond yes or no: the device goes first in its band.
MEDICAL_DEVICE = frozenset(
    _listed(
        "device,medical device,equipment,medical equipment,powered equipment,oxygen,"
        "dialysis,ventilator,cpap,nebuliser,stairlift,hoist"
    )
)

_LANGUAGE_NAMES = {
    "en": "english",
    "cy": "welsh,cymraeg",
    "pl": "polish,polski",
    "ro": "romanian,romana",
    "ur": "urdu",
    "pa": "punjabi,panjabi",
    "bn": "bengali,bangla,sylheti",
    "gu": "gujarati",
    "ar": "arabic",
    "so": "somali",
    "pt": "portuguese",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "tr": "turkish",
    "ku": "kurdish",
    "fa": "farsi,persian,dari",
    "ps": "pashto",
    "ti": "tigrinya",
    "am": "amharic",
    "uk": "ukrainian",
    "ru": "russian",
    "lt": "lithuanian",
    "bg": "bulgarian",
    "zh": "chinese,mandarin,cantonese",
    "vi": "vietnamese",
    "ta": "tamil",
    "hi": "hindi",
    "gd": "gaelic",
}
LANGUAGES: Mapping[str, str] = {
    name: code
    for code, names in _LANGUAGE_NAMES.items()
    for name in (code, *names.split(","))
}


def fold(text: str) -> str:
    """Form in which choices are compared: lower case, one blank between words."""
    return re.sub(r"[\s_\-/.&()]+", " ", text).strip().lower()
