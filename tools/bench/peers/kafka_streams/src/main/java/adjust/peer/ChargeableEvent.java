package adjust.peer;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Something used, with what was charged: as rating sends it, and what adjustments made of it. */
record ChargeableEvent(
        @JsonProperty(required = true) String refId,
        @JsonProperty(required = true) Account.Reference account,
        @JsonProperty(required = true) String usageType,
        @JsonProperty(required = true) Kind kind,
        @JsonProperty(required = true) String eventDate,
        Long quantity,
        String unitOfMeasure,
        @JsonProperty(required = true) String currency,
        @JsonProperty(required = true) Amounts original,
        @JsonProperty(required = true) Tax tax,
        String glCode,
        @JsonProperty(required = true) Status status,
        @JsonProperty(required = true) Period billingPeriod,
        String invoiceRefId,
        Amounts adjusted,
        Amounts current,
        State adjustmentState,
        long adjustmentCount,
        long version) {

    enum Kind {
        USAGE,
        RECURRING_FEE,
        ONE_TIME_FEE
    }

    enum Status {
        RATED,
        BILLED
    }

    enum State {
        NONE,
        PARTIALLY_CREDITED,
        FULLY_CREDITED,
        INCREASED
    }

    record Tax(@JsonProperty(required = true) String code, @JsonProperty(required = true) long rate) {}

    record Period(
            @JsonProperty(required = true) String start, @JsonProperty(required = true) String end) {}

    /** The event after one more adjustment. */
    ChargeableEvent adjustedBy(Amounts effect) {
        return with(adjusted.plus(effect), adjustmentCount + 1, version + 1);
    }

    /** The same as rated, with what adjustments made of it. */
    ChargeableEvent with(Amounts sum, long count, long number) {
        Amounts now = original.plus(sum);
        return new ChargeableEvent(
                refId, account, usageType, kind, eventDate, quantity, unitOfMeasure, currency,
                original, tax, glCode, status, billingPeriod, invoiceRefId,
                sum, now, stateOf(sum, now), count, number);
    }

    private static State stateOf(Amounts adjusted, Amounts current) {
        if (adjusted.equals(Amounts.NOTHING)) {
            return State.NONE;
        }
        if (current.equals(Amounts.NOTHING)) {
            return State.FULLY_CREDITED;
        }
        int sign = Long.signum(adjusted.taxIncludedAmount());
        return sign < 0 ? State.PARTIALLY_CREDITED : sign > 0 ? State.INCREASED : State.NONE;
    }
}
