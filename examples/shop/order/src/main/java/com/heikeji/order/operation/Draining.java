package com.heikeji.order.operation;

import com.heikeji.order.ShopProperties;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * The first thing on the way down. Spring has said "not ready" by now; this keeps the server serving for a while, so that
 * load balancers see it and send their requests elsewhere, before the server takes no more connections.
 */
@Component
class Draining implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(Draining.class);

    private final int seconds;
    private volatile boolean running;

    Draining(ShopProperties shop) {
        this.seconds = shop.shutdown().drainSeconds();
    }

    @Override
    public void stop(Runnable done) {
        log.info("Draining: not ready from now on, still serving for {} s", seconds);
        // A thread of its own: a shared pool may be busy with the very requests that are still served.
        Thread.ofPlatform().name("draining").start(() -> {
            try {
                TimeUnit.SECONDS.sleep(seconds);
            } catch (InterruptedException hurry) {
                Thread.currentThread().interrupt();
            }
            running = false;
            done.run();
        });
    }

    /** Stops before the web server, which is in a lower phase. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
