package adjust.peer;

/** What a caller asks: a correction of one chargeable event, or to undo an earlier one. */
record Request(
        String requestId,
        String user,
        String account,
        String chargeableEventRefId,
        ChargeType chargeType,
        Long chargeAdjustment,
        Long percent,
        Long targetAmount,
        String currency,
        Boolean taxIncluded,
        String reason,
        String comment,
        Mode adjustmentMode,
        TaxTreatment taxTreatment,
        Long expectedVersion,
        String reversalOf)
        implements Read {

    enum ChargeType {
        CREDIT,
        DEBIT
    }

    enum Mode {
        AMOUNT,
        PERCENT,
        SET_TO,
        FULL,
        REVERSAL
    }

    enum TaxTreatment {
        PROPORTIONAL,
        NO_TAX,
        TAX_ONLY
    }

    /** The mode that is recorded: a reversal is one too. */
    Mode mode() {
        return reversalOf != null ? Mode.REVERSAL : adjustmentMode;
    }

    /** The one of three amounts that amount, percent or target mean. */
    long partOf(Amounts whole) {
        if (taxTreatment == TaxTreatment.TAX_ONLY) {
            return whole.taxAmount();
        }
        return withoutTax() ? whole.taxExcludedAmount() : whole.taxIncludedAmount();
    }

    boolean withoutTax() {
        return taxTreatment == TaxTreatment.NO_TAX || Boolean.FALSE.equals(taxIncluded);
    }

    /** Which way the charge goes; null for a target that it has already, and a reversal. */
    ChargeType chargeTypeFor(ChargeableEvent event) {
        if (targetAmount == null) {
            return chargeType;
        }
        int sign = Long.compare(targetAmount, partOf(event.current()));
        return sign == 0 ? null : sign < 0 ? ChargeType.CREDIT : ChargeType.DEBIT;
    }

    /** How much is asked for, of the part that is meant; never below zero. */
    long amountFor(ChargeableEvent event) {
        if (chargeAdjustment != null) {
            return chargeAdjustment;
        }
        if (percent != null) {
            return Amounts.percentOf(partOf(event.original()), percent);
        }
        long now = partOf(event.current());
        return targetAmount == null ? now : Math.abs(targetAmount - now);
    }

    /** What the adjustment adds to the three amounts; a reversal is not worked out. */
    Amounts effectOn(Account owner, ChargeableEvent event) {
        long amount = amountFor(event);
        boolean isCredit = chargeTypeFor(event) == ChargeType.CREDIT;
        if (taxTreatment == TaxTreatment.NO_TAX) {
            return Amounts.of(isCredit ? -amount : amount, 0);
        }
        if (taxTreatment == TaxTreatment.TAX_ONLY) {
            return Amounts.of(0, isCredit ? -amount : amount);
        }
        boolean isTaxIncluded = !Boolean.FALSE.equals(taxIncluded);
        if (isCredit) {
            return Amounts.credit(amount, event.current(), isTaxIncluded);
        }
        return Amounts.debit(amount, owner.taxExempt() ? 0 : event.tax().rate(), isTaxIncluded);
    }
}
