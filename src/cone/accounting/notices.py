"""Mail to the owners when a connection needs a person: once per event, tried again until the mail server takes it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from cone.accounting.database import Database
from cone.accounting.registry import explain_mismatch, get_provider
from cone.accounting.settle import backoff
from cone.accounting.sql import upkeep as upkeep_sql

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Words:
    """A mail's texts; braces are filled with `provider`, `company`, `firm` and `reason`."""

    subject: str
    text: str


_WORDS: Mapping[str, _Words] = {
    "needs_reconnect": _Words(
        "{provider} needs you to connect again",
        "{firm} is connected to {company} in {provider}, and {provider} doesn't accept the sign-in any more. "
        "Until somebody signs in again, nothing is sent. Nothing is lost: what you do in Cone waits and then goes by "
        "itself, and all settings are kept.\n\nPress Reconnect here:\n{url}",
    ),
    "read_only": _Words(
        "Nothing can be sent to {provider} at the moment",
        "{provider} refuses changes of {company}, which {firm} is connected to:\n\n{reason}\n\n"
        "Nothing is lost: what you do in Cone waits, and is tried again every hour.\n\nWhat to do stands here:\n{url}",
    ),
    "other_environment": _Words(
        "Nothing can be sent to {provider} at the moment",
        "{firm} is connected to {company} in {provider}, and Cone was configured otherwise since:\n\n{reason}\n\n"
        "Nothing is lost: what you do in Cone waits.\n\nWhat waits stands here:\n{url}",
    ),
    "allowance": _Words(
        "The monthly allowance for {provider} is used up",
        "This installation has used up its monthly allowance of requests to {provider}, so some of what {firm} does "
        "reaches {company} only next month. Nothing is lost.\n\n"
        "Whoever runs this installation can raise the allowance with the provider. What waits stands here:\n{url}",
    ),
}


async def owe_notices(database: Database) -> None:
    """Note which events a mail is owed for, and forget those that are over."""
    async with database.transaction():
        await database.execute(upkeep_sql.FORGET_NOTICES, {})
        await database.execute(upkeep_sql.OWE_NOTICES)


async def send_one_notice(database: Database) -> bool:
    """Send the mail that has been owed longest; whether there was one."""
    async with database.transaction():
        row = await (await database.execute(upkeep_sql.NEXT_NOTICE)).fetchone()
        if row is None:
            return False
        subject, text = compose(row)
        try:
            # A mail server may take its time, and Django's mail knows no other way.
            await asyncio.to_thread(_send, subject, text, row["addresses"])
        except OSError as error:
            logger.warning("a mail to the owners of %s couldn't be sent (%s)", row["firm"], type(error).__name__)
            await database.execute(
                upkeep_sql.NOTICE_FAILED, {"notice": row["id"], "delay": 12 * backoff(row["tries"] + 3)}
            )
        else:
            await database.execute(upkeep_sql.NOTICE_SENT, {"notice": row["id"]})
    return True


def compose(row: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of a notice. The firm's and company's names are people's own: a subject is one line."""
    # What no company refused isn't tried again by itself.
    is_elsewhere = row["event"] == "read_only" and explain_mismatch(row["provider"], row["environment"])
    words = _WORDS["other_environment" if is_elsewhere else row["event"]]
    facts = {
        "provider": get_provider(row["provider"]).name,
        "company": row["company_name"] or "a company",
        "firm": row["firm"],
        "reason": row["state_reason"] or "It doesn't say why.",
        "url": f"{settings.BASE_URL}/settings/integrations",
    }
    return f"Cone: {words.subject.format_map(facts)}", words.text.format_map(facts) + "\n"


def _send(subject: str, text: str, addresses: Sequence[str]) -> None:
    """One mail each: owners needn't learn each other's addresses."""
    for address in addresses:
        EmailMessage(subject, text, to=[address]).send()
