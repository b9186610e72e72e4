"""Between the contract and the domain: no SQL, no rules."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from onggi.payment_vault.v1 import detokenization_service_pb2 as reveal_api
from onggi.payment_vault.v1 import tokenization_service_pb2 as api

from chassis import contract
from chassis.call import Call
from chassis.errors import DomainError, InvalidField, Violation, item_error
from chassis.kst import event_date
from chassis.mutation import Mutations
from chassis.transit import Transit
from services.payment_vault.approvals import Approvals
from services.payment_vault.deleting import delete
from services.payment_vault.forms import form
from services.payment_vault.lifetime import lifetime
from services.payment_vault.opening import Pair, token_of
from services.payment_vault.page_tokens import PageTokens
from services.payment_vault.reading import TokenReader
from services.payment_vault.reissuing import Reissuer
from services.payment_vault.reveals import Reveals
from services.payment_vault.tokenizing import Item, Tokenizer
from services.payment_vault.tokens import Stored


class TokenizationServicer:
    """onggi.payment_vault.v1.TokenizationService."""

    def __init__(
        self, tokenizer: Tokenizer, reader: TokenReader, mutations: Mutations, transit: Transit,
        *, luhn_strict_domestic: bool,
    ) -> None:  # fmt: skip
        self._tokenizer = tokenizer
        self._reader = reader
        self._mutations = mutations
        self._transit = transit
        self._pages = PageTokens(transit)
        self._strict = luhn_strict_domestic

    async def tokenize(self, request: api.TokenizeRequest, call: Call) -> api.TokenizeResponse:
        item = self._item(call, request.request_id, request)
        stored = await self._tokenizer.tokenize(item)
        return api.TokenizeResponse(token=token_of(stored, item.member_id, item.form.masked))

    async def batch_tokenize(self, request: api.BatchTokenizeRequest, call: Call) -> api.BatchTokenizeResponse:
        return api.BatchTokenizeResponse(results=await self._results(call, request.request_id, request.items))

    async def stream_tokenize(self, request: api.StreamTokenizeRequest, call: Call) -> api.StreamTokenizeResponse:
        if not request.items:
            raise InvalidField([Violation("items", "required")])
        results = await self._results(call, request.request_id, request.items)
        return api.StreamTokenizeResponse(request_id=request.request_id, results=results)

    async def get_token(self, request: api.GetTokenRequest, call: Call) -> api.GetTokenResponse:
        return api.GetTokenResponse(token=await self._reader.get(call, Pair(request.token, request.member_id)))

    async def list_tokens(self, request: api.ListTokensRequest, call: Call) -> api.ListTokensResponse:
        after = await self._pages.read(call, request.member_id, request.page_token)
        found, last = await self._reader.list(call, request.member_id, request.page_size, after)
        following = await self._pages.issue(call, request.member_id, last) if last else ""
        return api.ListTokensResponse(tokens=found, next_page_token=following)

    async def delete_token(self, request: api.DeleteTokenRequest, call: Call) -> api.DeleteTokenResponse:
        await delete(call, request, self._mutations, self._transit)
        return api.DeleteTokenResponse()

    async def _results(
        self, call: Call, request_id: str, requested: Iterable[api.TokenizeItem]
    ) -> list[api.TokenizeResult]:
        items = [self._checked(call, request_id, number, item) for number, item in enumerate(requested)]
        good = [item for item in items if isinstance(item, Item)]
        stored = iter(await self._tokenizer.tokenize_all(good) if good else [])
        return [_result(item, next(stored) if isinstance(item, Item) else item) for item in items]

    def _item(self, call: Call, request_id: str, item: api.TokenizeItem | api.TokenizeRequest) -> Item:
        """Take what is asked for: a lone request has the same fields as an item of a batch."""
        now = datetime.now(UTC)
        checked = form(item.instrument, event_date(now), luhn_strict_domestic=self._strict)
        lives = lifetime(item, checked.last_day, now)
        return Item(call, request_id, item.member_id, checked, lives)

    def _checked(self, call: Call, request_id: str, number: int, item: api.TokenizeItem) -> Item | DomainError:
        if (error := contract.check_item(item)) is not None:
            return error
        # Each item of a batch has a request id of its own, the same at every retry of the batch.
        try:
            return self._item(call, str(uuid.uuid5(uuid.UUID(request_id), str(number))), item)
        except DomainError as failure:
            return failure


class DetokenizationServicer:
    """onggi.payment_vault.v1.DetokenizationService."""

    def __init__(self, reveals: Reveals, approvals: Approvals, reissuer: Reissuer) -> None:
        self._reveals = reveals
        self._approvals = approvals
        self._reissuer = reissuer

    async def detokenize(self, request: reveal_api.DetokenizeRequest, call: Call) -> reveal_api.DetokenizeResponse:
        token = await self._reveals.reveal(call, Pair(request.token, request.member_id))
        return reveal_api.DetokenizeResponse(instrument=token.masked)

    async def batch_detokenize(
        self, request: reveal_api.BatchDetokenizeRequest, call: Call
    ) -> reveal_api.BatchDetokenizeResponse:
        errors = [contract.check_item(item) for item in request.items]
        pairs = [Pair(item.token, item.member_id) for item in request.items]
        good = [pair for pair, error in zip(pairs, errors, strict=True) if error is None]
        approval = await self._approvals.named(call, request)
        found = iter(await self._reveals.reveal_all(call, good, approval))
        return reveal_api.BatchDetokenizeResponse(results=[_revealed(error or next(found)) for error in errors])

    async def reissue_token(
        self, request: reveal_api.ReissueTokenRequest, call: Call
    ) -> reveal_api.ReissueTokenResponse:
        return reveal_api.ReissueTokenResponse(token=await self._reissuer.reissue(call, request))


def _result(item: Item | DomainError, stored: Stored | DomainError) -> api.TokenizeResult:
    if isinstance(stored, DomainError) or isinstance(item, DomainError):
        return api.TokenizeResult(error=item_error(stored if isinstance(stored, DomainError) else item))  # type: ignore[arg-type]
    return api.TokenizeResult(token=token_of(stored, item.member_id, item.form.masked))


def _revealed(found: object) -> reveal_api.DetokenizeResult:
    if isinstance(found, DomainError):
        return reveal_api.DetokenizeResult(error=item_error(found))
    return reveal_api.DetokenizeResult(instrument=found.masked)  # type: ignore[attr-defined]
