"""The payment vault's process: the only place that knows how its parts are put together.

With ``reveals`` off it serves no DetokenizationService and holds no login with the right to decrypt a number.
"""

from typing import Any

from onggi.keys.v1 import key_service_pb2
from onggi.payment_vault.v1 import detokenization_service_pb2, reveal_approval_service_pb2, tokenization_service_pb2
from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.purge.v1 import purge_service_pb2

from chassis.erasure_keys import ErasureKeys
from chassis.job import own_spiffe_id
from chassis.key_service import Holder, KeyServicer
from chassis.log_reader import LogReader
from chassis.mutation import Mutations
from chassis.process import Process
from chassis.purge import PurgeServicer
from chassis.purge_category import Category
from chassis.transit import Transit
from services.payment_vault import kept, key_places, keys, purge_tokens
from services.payment_vault.approval_servicer import RevealApprovalServicer
from services.payment_vault.approvals import FORGET as FORGET_REQUESTS
from services.payment_vault.approvals import Approvals
from services.payment_vault.opening import Opener
from services.payment_vault.reading import TokenReader
from services.payment_vault.reissuing import Reissuer
from services.payment_vault.reveals import FORGET as FORGET_SUBJECTS
from services.payment_vault.reveals import Reveals
from services.payment_vault.servicers import DetokenizationServicer, TokenizationServicer
from services.payment_vault.settings import Settings
from services.payment_vault.sweeper import Sweeper
from services.payment_vault.tokenizing import Tokenizer


async def serve(settings: Settings) -> None:
    """Put the parts together and serve until a signal."""
    async with Process(keys.SERVICE, settings) as process:
        process.keep(purge_tokens.stock(process.privacy_policy))
        transit = await _login(process, keys.TOKENIZE_ROLE)
        erasure_keys = ErasureKeys(transit, keys.EPOCH_KEY, process.hot("salts"))
        mutations = Mutations(process.engine)
        tokenizer = Tokenizer(process.hot("tokens", by_hash=True), transit, erasure_keys)
        process.on_close(tokenizer.close)
        masked = TokenReader(process.hot("masked reads"), Opener(transit, erasure_keys, masked=True))
        process.on_close(masked.close)
        tokenization = TokenizationServicer(
            tokenizer, masked, mutations, transit, luhn_strict_domestic=settings.luhn_strict_domestic
        )
        services: list[tuple[Any, object]] = [
            (tokenization_service_pb2.DESCRIPTOR.services_by_name["TokenizationService"], tokenization),
            (
                processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                LogReader(keys.SERVICE, process.auditor),
            ),
        ]
        verifier = transit
        if settings.reveals:
            verifier = await _login(process, keys.DETOKENIZE_ROLE)
            reissuer = Reissuer(mutations, verifier, transit, erasure_keys, masked)
            services += _revealing(process, verifier, transit, mutations, reissuer)
        categories: dict[str, Category] = {purge_tokens.CATEGORY: purge_tokens.TokensOfWithdrawn()}
        purge = PurgeServicer(process.engine, process.auditor, categories, erasure_keys, verifier, keeper=kept.Tokens())
        holder = Holder(
            process.engine, key_places.COLUMNS, lambda: Transit(settings.vault, settings.tls, key_places.KEYS_ROLE),
            transit, keys.INDEX_KEY, erasure_keys,
        )  # fmt: skip
        services.append((key_service_pb2.DESCRIPTOR.services_by_name["KeyService"], KeyServicer(holder)))
        services.append((purge_service_pb2.DESCRIPTOR.services_by_name["PurgeService"], purge))
        sweeper = Sweeper(process.engine, own_spiffe_id(settings.tls.certificate_file), process.policy.version)
        process.on_close(sweeper.close)
        sweeper.start()
        await process.serve(services, {"key service": lambda: transit.hmac(keys.INDEX_KEY, [b"ready"])})


async def _login(process: Process, role: str) -> Transit:
    transit = Transit(process.settings.vault, process.settings.tls, role)
    await transit.start()
    process.on_close(transit.close)
    return transit


def _revealing(
    process: Process, opening: Transit, sealing: Transit, mutations: Mutations, reissuer: Reissuer
) -> list[tuple[Any, object]]:
    opener = Opener(opening, ErasureKeys(opening, keys.EPOCH_KEY, process.hot("salts of reveals")), masked=False)
    reveals = Reveals(process.hot("reveals"), opener, process.policy.reveal_budgets)
    process.on_close(reveals.close)
    process.keep_house(FORGET_SUBJECTS, FORGET_REQUESTS)
    approvals = Approvals(process.engine, mutations, sealing)
    detokenization = DetokenizationServicer(reveals, approvals, reissuer)
    approval = RevealApprovalServicer(approvals, mutations, sealing)
    return [
        (detokenization_service_pb2.DESCRIPTOR.services_by_name["DetokenizationService"], detokenization),
        (reveal_approval_service_pb2.DESCRIPTOR.services_by_name["RevealApprovalService"], approval),
    ]
