package adjust.peer;

import java.math.BigInteger;

/** An amount without tax, its tax, and both together, in micro-units; rounded half up. */
record Amounts(long taxExcludedAmount, long taxAmount, long taxIncludedAmount) {
    static final Amounts NOTHING = new Amounts(0, 0, 0);
    static final long SUM_MAX = 1_000_000_000_000_000L;
    private static final BigInteger FAR_TOO_MUCH = BigInteger.valueOf(Long.MAX_VALUE / 4);
    private static final int BASIS_POINTS = 10_000;

    /** A credit takes tax in proportion to what remains. */
    static Amounts credit(long amount, Amounts remaining, boolean taxIncluded) {
        if (taxIncluded) {
            long tax = share(amount, remaining.taxAmount, remaining.taxIncludedAmount);
            return of(tax - amount, -tax);
        }
        return of(-amount, -share(amount, remaining.taxAmount, remaining.taxExcludedAmount));
    }

    /** A debit is taxed at `rate`, in basis points. */
    static Amounts debit(long amount, long rate, boolean taxIncluded) {
        if (taxIncluded) {
            long tax = share(amount, rate, BASIS_POINTS + rate);
            return of(amount - tax, tax);
        }
        return of(amount, percentOf(amount, rate));
    }

    static Amounts of(long excluded, long tax) {
        return new Amounts(excluded, tax, excluded + tax);
    }

    static long percentOf(long amount, long basisPoints) {
        return share(amount, basisPoints, BASIS_POINTS);
    }

    Amounts plus(Amounts other) {
        return new Amounts(
                taxExcludedAmount + other.taxExcludedAmount,
                taxAmount + other.taxAmount,
                taxIncludedAmount + other.taxIncludedAmount);
    }

    Amounts negated() {
        return of(-taxExcludedAmount, -taxAmount);
    }

    boolean anyNegative() {
        return taxExcludedAmount < 0 || taxAmount < 0 || taxIncludedAmount < 0;
    }

    boolean balances() {
        return taxExcludedAmount + taxAmount == taxIncludedAmount;
    }

    /** Whether one of the three goes beyond the limit, or farther beyond, on the way to `after`. */
    boolean leavesRange(Amounts after) {
        return leaves(taxExcludedAmount, after.taxExcludedAmount)
                || leaves(taxAmount, after.taxAmount)
                || leaves(taxIncludedAmount, after.taxIncludedAmount);
    }

    /** `12.100001 EUR`, with two decimals at least. */
    static String money(long amount, String currency) {
        String decimals = String.format("%06d", Math.abs(amount) % 1_000_000);
        int end = decimals.length();
        while (end > 2 && decimals.charAt(end - 1) == '0') {
            end--;
        }
        String sign = amount < 0 ? "-" : "";
        return sign + Math.abs(amount) / 1_000_000 + "." + decimals.substring(0, end) + " " + currency;
    }

    private static boolean leaves(long before, long after) {
        return Math.abs(after) > SUM_MAX && Math.abs(after) > Math.abs(before);
    }

    /** amount x part / whole, none below zero; beyond the range it only matters that it is. */
    private static long share(long amount, long part, long whole) {
        if (whole == 0) {
            return 0;
        }
        long doubled = 2 * amount * part;
        if (Math.multiplyHigh(2 * amount, part) == 0 && doubled >= 0 && doubled + whole >= 0) {
            return (doubled + whole) / (2 * whole);
        }
        BigInteger product = BigInteger.valueOf(2 * amount).multiply(BigInteger.valueOf(part));
        BigInteger rounded = product.add(BigInteger.valueOf(whole));
        return rounded.divide(BigInteger.valueOf(2 * whole)).min(FAR_TOO_MUCH).longValueExact();
    }
}
