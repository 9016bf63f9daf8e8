"""The shop's own mail, so that both kinds of consumer send to the same receiver: functions/notify_customer/mail.py.

Only a folder of its own is on a function's path, so that file is loaded from where it is.
"""

import tempfile
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_spec = spec_from_file_location("shop_mail", Path(__file__).parents[4] / "functions" / "notify_customer" / "mail.py")
_mail = module_from_spec(_spec)
_spec.loader.exec_module(_mail)

Confirmation, Send = _mail.Confirmation, _mail.Send


def mailer(environment: Mapping[str, str]) -> Send:
    """Return what sends confirmations, as the shop's does: by default to files where files can be written."""
    return _mail.mailer({"MAIL_DIRECTORY": f"{tempfile.gettempdir()}/mail", **environment})
