package adjust.peer;

import java.util.List;

/** What the bytes of a request come to. */
sealed interface Read permits Request, Read.Malformed, Read.Unreadable {

    /** It can be answered, though not as it was meant. */
    record Malformed(
            String requestId, String chargeableEventRefId, String account, List<Result.Fault> faults)
            implements Read {

        Result refused(String key, String requestedAt) {
            return new Result(
                    requestId,
                    new Account.Reference(key),
                    chargeableEventRefId,
                    Result.Status.REFUSED,
                    null,
                    null,
                    faults,
                    null,
                    requestedAt);
        }
    }

    /** Nobody can be answered: a dead letter. */
    record Unreadable(String code, String text) implements Read {}
}
