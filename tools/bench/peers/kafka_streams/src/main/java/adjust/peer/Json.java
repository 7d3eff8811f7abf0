package adjust.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** JSON in and out; strict in both directions. */
final class Json {
    private static final Pattern ESCAPES = Pattern.compile(
            "\\\\(?:u[dD][89abAB]\\p{XDigit}{2}\\\\u[dD][c-fC-F]\\p{XDigit}{2}"
                    + "|(?<lone>u[dD][89a-fA-F]\\p{XDigit}{2})|.)",
            Pattern.DOTALL);

    static final JsonMapper MAPPER = JsonMapper.builder(factory())
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
            .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .build();

    private Json() {}

    static byte[] write(Object message) {
        try {
            return MAPPER.writeValueAsBytes(message);
        } catch (JsonProcessingException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** Reads a row of ours. */
    static <T> T row(byte[] value, Class<T> type) {
        try {
            return value == null ? null : MAPPER.readValue(value, type);
        } catch (IOException damaged) {
            throw new UncheckedIOException(damaged);
        }
    }

    /** Reads what others sent; throws `Problem` for anything but a JSON object. */
    static ObjectNode object(byte[] value) throws Problem {
        if (value == null) {
            throw new Problem("NO_VALUE", "The record has no value.");
        }
        JsonNode node = tree(value);
        if (node instanceof ObjectNode object) {
            return object;
        }
        String kind = node.getNodeType().name().toLowerCase(Locale.ROOT);
        throw new Problem("NOT_AN_OBJECT", "The value is a JSON " + kind + ", not an object.");
    }

    private static JsonNode tree(byte[] value) throws Problem {
        String text;
        JsonNode node;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
            node = MAPPER.readTree(text);
        } catch (CharacterCodingException notUtf8) {
            throw new Problem("NOT_JSON", "The value is not UTF-8.");
        } catch (MismatchedInputException doubled) {
            throw new Problem("NOT_JSON", "An object has the same key twice.");
        } catch (JsonProcessingException notJson) {
            throw new Problem("NOT_JSON", "The value is not JSON: " + notJson.getOriginalMessage());
        }
        if (node.isMissingNode()) {
            throw new Problem("NOT_JSON", "The value is not JSON: it is empty.");
        }
        if (text.contains("\\u") && hasLoneSurrogate(text)) {
            throw new Problem("NOT_JSON", "The value has half of a surrogate pair.");
        }
        return node;
    }

    private static boolean hasLoneSurrogate(String text) {
        Matcher escapes = ESCAPES.matcher(text);
        while (escapes.find()) {
            if (escapes.group("lone") != null) {
                return true;
            }
        }
        return false;
    }

    private static JsonFactory factory() {
        StreamReadConstraints anyShape = StreamReadConstraints.builder()
                .maxNestingDepth(Integer.MAX_VALUE)
                .maxNumberLength(Integer.MAX_VALUE)
                .build();
        return JsonFactory.builder().streamReadConstraints(anyShape).build();
    }

    /** Why a record is a dead letter. */
    @SuppressWarnings("serial")
    static final class Problem extends Exception {
        final String code;

        Problem(String code, String text) {
            super(text, null, false, false);
            this.code = code;
        }
    }
}
