package com.heikeji.order;

import static org.assertj.core.api.Assertions.assertThat;

import com.heikeji.order.support.Database;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/** Closing the context is what the shutdown hook does on SIGTERM. */
class ShutdownIT {

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    @Timeout(600)
    void underLoadItIsNotReadyAtOnceAndNoRequestFails() throws Exception {
        Database.require();
        ConfigurableApplicationContext context = SpringApplication.run(
                OrderApplication.class, "--server.port=0", "--shop.shutdown.drain-seconds=6", "--shop.shutdown.grace-seconds=60");
        ExecutorService threads = Executors.newCachedThreadPool();
        String base = "http://127.0.0.1:" + ((ServletWebServerApplicationContext) context).getWebServer().getPort();
        AtomicBoolean running = new AtomicBoolean(true);
        AtomicInteger served = new AtomicInteger();
        List<String> failures = new CopyOnWriteArrayList<>();
        List<CompletableFuture<Void>> load = IntStream.range(0, 4)
                .mapToObj(n -> CompletableFuture.runAsync(() -> {
                    while (running.get()) {
                        try {
                            int status = get(base + "/api/orders?size=1").statusCode();
                            if (status == 200) {
                                served.incrementAndGet();
                            } else {
                                failures.add("status " + status);
                            }
                        } catch (Exception error) {
                            failures.add(error.toString());
                        }
                    }
                }, threads))
                .toList();
        await(() -> served.get() > 50);

        CompletableFuture<Void> closed = CompletableFuture.runAsync(context::close, threads);
        await(() -> status(base + "/actuator/health/readiness") == 503);
        int atDrain = served.get();
        await(() -> served.get() > atDrain + 5);
        assertThat(get(base + "/api/orders?size=1").headers().firstValue("connection")).hasValue("close");
        // What a load balancer does that has seen the readiness: no new requests to this instance.
        running.set(false);
        CompletableFuture.allOf(load.toArray(CompletableFuture[]::new)).join();

        assertThat(failures).isEmpty();
        closed.join();
        assertThat(context.isActive()).isFalse();
        threads.shutdown();
    }

    private HttpResponse<String> get(String url) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(30)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private int status(String url) {
        try {
            return get(url).statusCode();
        } catch (IOException gone) {
            return -1;
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    /** Between two looks at a condition: spinning would take the processor from what it waits for. */
    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofSeconds(120).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("the condition holds within 120 s").isLessThan(end);
            pause();
        }
    }
}
