package com.heikeji.order;

import org.springframework.http.HttpStatus;

/** An error that the caller is told about: an HTTP status, a stable code, a sentence. */
public class Problem extends RuntimeException {

    private final HttpStatus status;
    private final String code;

    public Problem(HttpStatus status, String code, String message) {
        super(message);
        this.status = status;
        this.code = code;
    }

    public static Problem invalid(String message) {
        return new Problem(HttpStatus.BAD_REQUEST, "INVALID", message);
    }

    public HttpStatus status() {
        return status;
    }

    public String code() {
        return code;
    }
}
