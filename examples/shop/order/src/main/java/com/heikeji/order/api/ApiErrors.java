package com.heikeji.order.api;

import com.heikeji.order.Problem;
import jakarta.servlet.http.HttpServletRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.TypeMismatchException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** Every error has the same form: {@code {"error": {"code", "message"}}}. Details of what broke inside go to the log only. */
@RestControllerAdvice
class ApiErrors extends ResponseEntityExceptionHandler {

    private static final Logger log = LoggerFactory.getLogger(ApiErrors.class);

    record Body(Error error) {}

    record Error(String code, String message) {}

    @ExceptionHandler(Problem.class)
    ResponseEntity<Object> problem(Problem problem) {
        return answer(problem.status(), HttpHeaders.EMPTY, problem.code(), problem.getMessage());
    }

    @ExceptionHandler(Exception.class)
    ResponseEntity<Object> broken(Exception error, HttpServletRequest request) {
        log.error("{} {} broke", request.getMethod(), request.getRequestURI(), error);
        return answer(
                HttpStatus.INTERNAL_SERVER_ERROR, HttpHeaders.EMPTY, "INTERNAL", "Something went wrong here; the log says what");
    }

    @Override
    protected ResponseEntity<Object> handleHttpMessageNotReadable(
            HttpMessageNotReadableException error, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        return answer(status, headers, "INVALID", "The body is not JSON of the form that is wanted here");
    }

    @Override
    protected ResponseEntity<Object> handleTypeMismatch(
            TypeMismatchException error, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        return answer(status, headers, "INVALID", error.getPropertyName() + " is not of the form that is wanted here");
    }

    /** What Spring itself refuses: no such path, no such method, no such media type. */
    @Override
    protected ResponseEntity<Object> handleExceptionInternal(
            Exception error, Object body, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        HttpStatus known = HttpStatus.valueOf(status.value());
        return answer(status, headers, known.name(), known.getReasonPhrase());
    }

    private static ResponseEntity<Object> answer(HttpStatusCode status, HttpHeaders headers, String code, String message) {
        ResponseEntity.BodyBuilder response = ResponseEntity.status(status).headers(headers);
        if (status.value() == 503) {
            response.header(HttpHeaders.RETRY_AFTER, "1");
        }
        return response.body(new Body(new Error(code, message)));
    }
}
