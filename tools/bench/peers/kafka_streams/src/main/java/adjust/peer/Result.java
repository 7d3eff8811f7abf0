package adjust.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.List;

/** What a caller is told; an applied request has an adjustment, a refused one errors. */
record Result(
        String requestId,
        Account.Reference account,
        String chargeableEventRefId,
        Status status,
        Adjustment adjustment,
        ChargeableEvent chargeableEvent,
        List<Fault> errors,
        Amounts remaining,
        String requestedAt) {

    enum Status {
        APPLIED,
        REFUSED
    }

    enum BillingTreatment {
        SAME_PERIOD,
        NEXT_BILL
    }

    record Fault(Refusal code, String field, String message) {}

    /** An adjustment that was applied; it never changes. */
    record Adjustment(
            String refId,
            String requestId,
            String user,
            String channel,
            Account.Reference account,
            String chargeableEventRefId,
            Request.ChargeType chargeType,
            Request.Mode adjustmentMode,
            Request.TaxTreatment taxTreatment,
            String currency,
            String reason,
            String comment,
            Amounts effect,
            Amounts before,
            Amounts after,
            long eventVersion,
            BillingTreatment billingTreatment,
            String reversalOf,
            String batch,
            String requestedAt) {

        static String refId(String account, String requestId) {
            return "ADJ-" + account + "-" + requestId;
        }
    }

    /** As JSON, of an applied request, around what is written already; no text of it needs escaping. */
    byte[] around(byte[] writtenAdjustment, byte[] writtenEvent) {
        String before = "{\"requestId\":\"" + requestId + "\",\"account\":{\"refId\":\""
                + account.refId() + "\"},\"chargeableEventRefId\":\"" + chargeableEventRefId
                + "\",\"status\":\"APPLIED\",\"adjustment\":";
        String after = ",\"errors\":[],\"remaining\":{\"taxExcludedAmount\":"
                + remaining.taxExcludedAmount() + ",\"taxAmount\":" + remaining.taxAmount()
                + ",\"taxIncludedAmount\":" + remaining.taxIncludedAmount()
                + "},\"requestedAt\":\"" + requestedAt + "\"}";
        byte[] between = ",\"chargeableEvent\":".getBytes(US_ASCII);
        int rest = before.length() + between.length + after.length();
        return ByteBuffer.allocate(rest + writtenAdjustment.length + writtenEvent.length)
                .put(before.getBytes(US_ASCII))
                .put(writtenAdjustment)
                .put(between)
                .put(writtenEvent)
                .put(after.getBytes(US_ASCII))
                .array();
    }

    static Result refused(
            Request request, String account, ChargeableEvent event, Fault fault, String requestedAt) {
        return new Result(
                request.requestId(),
                new Account.Reference(account),
                request.chargeableEventRefId(),
                Status.REFUSED,
                null,
                event,
                List.of(fault),
                event == null ? null : event.current(),
                requestedAt);
    }
}
