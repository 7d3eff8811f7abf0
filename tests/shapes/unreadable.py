"""Values that are no JSON object: a dead letter on the topic, a problem over REST."""

import json

from tests.builders import REQUEST_ID, request_body

_DEEP = 100_000
_GOOD = json.dumps(request_body())
_START = f'{{"requestId":"{REQUEST_ID}","comment":'

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "NOT_JSON"),
    "blank": (b" \n", "NOT_JSON"),
    "not UTF-8": (b'{"requestId":"\xff"}', "NOT_JSON"),
    "UTF-16": (_GOOD.encode("utf-16"), "NOT_JSON"),
    "UTF-16 without a mark": (_GOOD.encode("utf-16-le"), "NOT_JSON"),
    "byte order mark": (b"\xef\xbb\xbf" + _GOOD.encode(), "NOT_JSON"),
    "cut short": (_GOOD[:-1].encode(), "NOT_JSON"),
    "two values": (b"{}{}", "NOT_JSON"),
    "NaN": (b'{"requestId":"a","x":NaN}', "NOT_JSON"),
    "NaN for an amount": (_GOOD.replace("1000000", "NaN").encode(), "NOT_JSON"),
    "infinity": (b'{"requestId":"a","x":[-Infinity]}', "NOT_JSON"),
    "leading zero": (_GOOD.replace("1000000", "01").encode(), "NOT_JSON"),
    "leading plus": (_GOOD.replace("1000000", "+1").encode(), "NOT_JSON"),
    "hexadecimal": (_GOOD.replace("1000000", "0x1").encode(), "NOT_JSON"),
    "Python's None": (_GOOD.replace("true", "None").encode(), "NOT_JSON"),
    "trailing comma": (_GOOD.replace("}", ",}").encode(), "NOT_JSON"),
    "raw line feed in a text": (_GOOD.replace("twice", "tw\nice").encode(), "NOT_JSON"),
    "lone surrogate": (_GOOD.replace("twice", "\\ud800").encode(), "NOT_JSON"),
    "lone surrogate in a name": (_GOOD.replace("user", "\\udfff").encode(), "NOT_JSON"),
    "surrogates the wrong way": (_GOOD.replace("twice", "\\udc00\\ud800").encode(), "NOT_JSON"),
    "surrogate in UTF-8": (b'{"requestId":"\xed\xa0\x80"}', "NOT_JSON"),
    "doubled key": (_GOOD.replace('"user"', '"user": "bob", "user"').encode(), "NOT_JSON"),
    "doubled key, other spelling": (b'{"requestId":"a","x":1,"\\u0078":2}', "NOT_JSON"),
    "doubled key of the same value": (_GOOD[:-1].encode() + b',"currency":"EUR"}', "NOT_JSON"),
    "doubled requestId": (_GOOD[:-1].encode() + b',"requestId":null}', "NOT_JSON"),
    "doubled key beside a null": (
        _GOOD.replace('"metered twice in roaming"', 'null, "taxIncluded": false').encode(),
        "NOT_JSON",
    ),
    "doubled key of the account": (
        _GOOD.replace('"refId"', '"refId": "ACC-2", "refId"').encode(),
        "NOT_JSON",
    ),
    "doubled key inside": (b'{"requestId":"a","x":[{"y":{"z":1,"z":1}}]}', "NOT_JSON"),
    "doubled key far inside": (
        (_START + '{"a":' * _DEEP + '{"b":1,"b":2}' + "}" * _DEEP + "}").encode(),
        "NOT_JSON",
    ),
    "nothing but opening brackets": (b"[" * _DEEP, "NOT_JSON"),
    "brackets not closed": ((_START + "[" * _DEEP + "}").encode(), "NOT_JSON"),
    "brackets closed too often": ((_START + "[" * _DEEP + "]" * _DEEP * 2).encode(), "NOT_JSON"),
    "text not closed far inside": (
        (_START + "[" * _DEEP + '"' + '\\"' * _DEEP).encode(),
        "NOT_JSON",
    ),
    "deep, and then a doubled key": (
        (_START + "[" * _DEEP + "]" * _DEEP + ',"user":"a","user":"b"}').encode(),
        "NOT_JSON",
    ),
    "array": (b"[]", "NOT_AN_OBJECT"),
    "array of a request": (f"[{_GOOD}]".encode(), "NOT_AN_OBJECT"),
    "deep array": (b"[" * _DEEP + b"]" * _DEEP, "NOT_AN_OBJECT"),
    "text": (b'"a"', "NOT_AN_OBJECT"),
    "number": (b"1", "NOT_AN_OBJECT"),
    "number of 5000 digits": (b"9" * 5000, "NOT_AN_OBJECT"),
    "fraction": (b"1.5", "NOT_AN_OBJECT"),
    "boolean": (b"true", "NOT_AN_OBJECT"),
    "null": (b"null", "NOT_AN_OBJECT"),
}
