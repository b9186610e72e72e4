"""Between the contract and the domain: no SQL, no rules."""

import uuid
from datetime import UTC, datetime

from onggi.payment_vault.v1 import detokenization_service_pb2 as reveal_api
from onggi.payment_vault.v1 import tokenization_service_pb2 as api

from chassis import contract
from chassis.call import Call
from chassis.errors import DomainError, item_error
from chassis.kst import event_date
from chassis.mutation import Mutations
from chassis.request_content import content
from chassis.transit import Transit
from services.payment_vault.deleting import delete
from services.payment_vault.forms import form
from services.payment_vault.reading import Pair, TokenReader, token_of
from services.payment_vault.tokenizing import Item, Stored, Tokenizer


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
        self._strict = luhn_strict_domestic

    async def tokenize(self, request: api.TokenizeRequest, call: Call) -> api.TokenizeResponse:
        item = self._item(call, request.request_id, api.TokenizeItem(
            member_id=request.member_id, instrument=request.instrument))  # fmt: skip
        stored = await self._tokenizer.tokenize(item)
        return api.TokenizeResponse(token=token_of(stored.token, item.member_id, item.form.masked, stored.created_at))

    async def batch_tokenize(self, request: api.BatchTokenizeRequest, call: Call) -> api.BatchTokenizeResponse:
        items = [self._checked(call, request.request_id, number, item) for number, item in enumerate(request.items)]
        good = [item for item in items if isinstance(item, Item)]
        stored = iter(await self._tokenizer.tokenize_all(good) if good else [])
        return api.BatchTokenizeResponse(
            results=[_result(item, next(stored) if isinstance(item, Item) else item) for item in items]
        )

    async def get_token(self, request: api.GetTokenRequest, call: Call) -> api.GetTokenResponse:
        return api.GetTokenResponse(token=await self._reader.get(call, Pair(request.token, request.member_id)))

    async def list_tokens(self, request: api.ListTokensRequest, call: Call) -> api.ListTokensResponse:
        found, token = await self._reader.list(call, request.member_id, request.page_size, request.page_token)
        return api.ListTokensResponse(tokens=found, next_page_token=token)

    async def delete_token(self, request: api.DeleteTokenRequest, call: Call) -> api.DeleteTokenResponse:
        await delete(call, request, self._mutations, self._transit)
        return api.DeleteTokenResponse()

    def _item(self, call: Call, request_id: str, item: api.TokenizeItem) -> Item:
        checked = form(item.instrument, event_date(datetime.now(UTC)), luhn_strict_domestic=self._strict)
        return Item(call, request_id, item.member_id, checked, content(call.method.name, item))

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

    def __init__(self, reader: TokenReader) -> None:
        self._reader = reader

    async def detokenize(self, request: reveal_api.DetokenizeRequest, call: Call) -> reveal_api.DetokenizeResponse:
        token = await self._reader.get(call, Pair(request.token, request.member_id))
        return reveal_api.DetokenizeResponse(instrument=token.masked)

    async def batch_detokenize(
        self, request: reveal_api.BatchDetokenizeRequest, call: Call
    ) -> reveal_api.BatchDetokenizeResponse:
        errors = [contract.check_item(item) for item in request.items]
        pairs = [Pair(item.token, item.member_id) for item in request.items]
        good = [pair for pair, error in zip(pairs, errors, strict=True) if error is None]
        found = dict(zip(good, await self._reader.get_all(call, good), strict=True)) if good else {}
        return reveal_api.BatchDetokenizeResponse(
            results=[_revealed(error or found[pair]) for pair, error in zip(pairs, errors, strict=True)]
        )


def _result(item: Item | DomainError, stored: Stored | DomainError) -> api.TokenizeResult:
    if isinstance(stored, DomainError) or isinstance(item, DomainError):
        return api.TokenizeResult(error=item_error(stored if isinstance(stored, DomainError) else item))  # type: ignore[arg-type]
    return api.TokenizeResult(token=token_of(stored.token, item.member_id, item.form.masked, stored.created_at))


def _revealed(found: object) -> reveal_api.DetokenizeResult:
    if isinstance(found, DomainError):
        return reveal_api.DetokenizeResult(error=item_error(found))
    return reveal_api.DetokenizeResult(instrument=found.masked)  # type: ignore[attr-defined]
