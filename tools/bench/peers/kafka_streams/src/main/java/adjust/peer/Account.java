package adjust.peer;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Who owes; as the CRM sends it, and with its version as it is kept and published. */
record Account(
        @JsonProperty(required = true) String refId,
        String externalId,
        @JsonProperty(required = true) String currency,
        @JsonProperty(required = true) State state,
        @JsonProperty(required = true) boolean taxExempt,
        @JsonProperty(required = true) boolean billingInProgress,
        long version) {

    enum State {
        INACTIVE,
        ACTIVE,
        SUSPENDED,
        DEACTIVATED
    }

    record Reference(@JsonProperty(required = true) String refId) {}

    Account withVersion(long number) {
        return new Account(
                refId, externalId, currency, state, taxExempt, billingInProgress, number);
    }
}
